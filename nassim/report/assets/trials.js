// The table of trials: those of the typical runs, sorted and filtered here, so many rows at a time.
const ROWS = 50;
const table = { by: "query", down: false, rows: ROWS };
const trialRows = () => {
  const { race } = part();
  return shown(race.strategies).flatMap((name) => {
    const run = race.strategies[name], trials = trialsOf(run), seconds = numbers(run.tried_seconds), epochs = numbers(run.tried_epochs);
    let best = upwards() ? -Infinity : Infinity;
    return Array.from(trials.values, (value, i) => {
      const isBest = better(value, best);
      if (isBest) best = value;
      return { strategy: name, seed: run.seed, query: trials.queries[i], seconds: seconds[i], epochs: epochs[i], value, best: isBest, architecture: trials.arch(i) };
    });
  });
};
// Words that all have to be found in a row; one that begins with > or < is a limit of what was seen.
const matches = (words) => (row) => words.every((word) => {
  const limit = /^([<>])(\d+(?:\.\d+)?)$/.exec(word);
  if (limit) return limit[1] === ">" ? row.value > Number(limit[2]) : row.value < Number(limit[2]);
  return row.strategy.toLowerCase().includes(word) || row.architecture.toLowerCase().includes(word);
});
const columnsOfTrials = () => {
  const { metric, clock } = part(), text = (key) => (row) => row[key];
  return [
    ["strategy", "strategy", text("strategy"), "text"], ["seed", "seed", text("seed")], ["query", "query", text("query")],
    ["seconds", `finished [${clock.unit}]`, (row) => amount(row.seconds)], ["epochs", "epochs spent", (row) => row.epochs.toLocaleString("en")],
    ["value", metric.titles.valid.replace(/( \[|$)/, " seen$1"), (row) => written(row.value, 2)], ["best", "new best", (row) => (row.best ? "✓" : "")],
    ["architecture", "architecture", text("architecture"), "text"],
  ];
};
const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);

const drawTrials = () => {
  if (!byId("trials-rows")) return;
  const { race } = part(), all = trialRows(), columns = columnsOfTrials();
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = all.filter(matches(words)).filter((row) => row.best || !byId("bests").checked);
  rows.sort((a, b) => (table.down ? -1 : 1) * compare(a[table.by], b[table.by]) || a.query - b.query || compare(a.strategy, b.strategy));
  byId("trials-head").replaceChildren(...columns.map(([key, title, , kind]) => {
    const sorted = table.by === key, head = make("th", { scope: "col", class: kind || "", "aria-sort": sorted ? (table.down ? "descending" : "ascending") : "none" });
    const button = make("button", { type: "button", class: "sort", "data-key": key }, `${title}${sorted ? (table.down ? " ▼" : " ▲") : ""}`);
    button.addEventListener("click", () => {
      Object.assign(table, sorted ? { down: !table.down } : { by: key, down: ["value", "best"].includes(key) === upwards() && key !== "strategy" }, { rows: ROWS });
      drawTrials();
      byId("trials-head").querySelector(`[data-key="${key}"]`).focus();
    });
    head.append(button);
    return head;
  }));
  byId("trials-rows").replaceChildren(...rows.slice(0, table.rows).map((row) => make("tr", {}, ...columns.map(([, , said, kind], i) =>
    make(i ? "td" : "th", i ? { class: kind || "" } : { scope: "row", class: "text" }, `${said(row)}`)))));
  const thinned = shown(race.strategies).filter((name) => race.strategies[name].trials > numbers(race.strategies[name].tried).length);
  byId("trials-shown").textContent = `${Math.min(rows.length, table.rows).toLocaleString("en")} rows of ${rows.length.toLocaleString("en")} that match, of ` +
    `${all.length.toLocaleString("en")} trials of the typical runs (one run of each strategy: its final regret is the median)` +
    `${thinned.length ? `; of ${thinned.join(", ")} evenly spread ones` : ""}. The study has ${race.all_trials.toLocaleString("en")} trials on ${part().name}: nassim export writes them all.`;
  byId("trials-more").hidden = rows.length <= table.rows;
};
const beginTrials = () => {
  if (!byId("trials-rows")) return;
  byId("filter").addEventListener("input", () => { table.rows = ROWS; drawTrials(); });
  byId("bests").addEventListener("change", () => { table.rows = ROWS; drawTrials(); });
  byId("trials-more").addEventListener("click", () => { table.rows += ROWS; drawTrials(); });
};
