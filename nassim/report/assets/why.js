// Why a strategy tried what it tried last: pictures of its state, as a replay of its typical run brought it back.
const NONE = 65535;
const svgOf = (name, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};
const titled = (element, text) => { element.append(svgOf("title", {}, text)); return element; };
const seenAs = (value) => part().metric.unit === "%" ? `${value.toFixed(2)} %` : `${Number(value.toPrecision(4))} ${part().metric.unit}`.trim();
const better = (a, b) => upwards() ? a > b : a < b;

// The trials of a typical run: by their place in the page, and by the number of the query (from 0), which may not be here.
const trialsOf = (run) => {
  const queries = numbers(run.tried_queries), values = numbers(run.tried), archs = numbers(run.tried_archs), at = numbers(run[`tried_${state.axis}`]);
  const step = queries.length > 1 ? queries[1] - queries[0] : 1;
  const place = (query) => (query !== NONE && query % step === 0 && query / step < values.length ? query / step : -1);
  return { queries, values, at, place, arch: (i) => part().race.archs[archs[i]], n: until(at, now()) };
};
const choicesOf = (architecture) => architecture.slice(architecture.indexOf(":") + 1).split("-").map(Number);
// What differs between two architectures, in words: "0->1: none → skip_connect".
const changes = (from, to) => {
  const a = choicesOf(from), b = choicesOf(to), { decisions } = part().race;
  if (a.length !== b.length || decisions.length !== a.length) return [];
  return decisions.flatMap(([name, options], i) => (a[i] === b[i] ? [] : [`${name}: ${options[a[i]]} → ${options[b[i]]}`]));
};
const distance = (from, to) => {
  const a = choicesOf(from), b = choicesOf(to);
  return a.length === b.length ? a.filter((choice, i) => choice !== b[i]).length : NaN;
};
const WIDE = 360;

// Who was alive, by age; who took part in the tournament; whose child came; who dies for it.
const drawLineage = (run, why, trials, i) => {
  const query = trials.queries[i] - 1, [parents, oldest, alive, dies] = ["parent", "oldest", "alive", "dies"].map((name) => numbers(why[name]));
  const parent = parents[query], sample = Array.from(numbers(why.sample).subarray(query * why.width, (query + 1) * why.width));
  const from = alive[query] ? oldest[query] : Math.max(0, query - 24), until = alive[query] ? from + alive[query] : query;
  const shown = Array.from({ length: until - from }, (_, k) => from + k);
  if (parent !== NONE && !shown.includes(parent)) shown.unshift(parent);
  const known = shown.map(trials.place).filter((place) => place >= 0).map((place) => trials.values[place]);
  const seen = [...known, trials.values[i]].sort((a, b) => a - b);
  const low = seen[upwards() ? Math.floor(0.1 * seen.length) : 0], high = seen[seen.length - 1 - (upwards() ? 0 : Math.floor(0.1 * seen.length))];
  const H = 130, x = (k) => 14 + (k * (WIDE - 28)) / Math.max(1, shown.length), share = (v) => Math.min(1, Math.max(0, (v - low) / (high - low || 1)));
  const y = (v) => 14 + (H - 44) * (upwards() ? 1 - share(v) : share(v)), color = look(run.name).color, r = Math.max(2.2, Math.min(5, 90 / shown.length));
  const picture = svgOf("svg", { viewBox: `0 0 ${WIDE} ${H}`, class: "why-picture", role: "img", "aria-label": "the population by age and the last child" });
  const end = [x(shown.length), y(trials.values[i])];
  shown.forEach((member, k) => {
    const place = trials.place(member);
    if (place < 0) return;
    const value = trials.values[place], at = [x(k), y(value)];
    if (member === parent) picture.append(svgOf("path", { d: `M${at}Q${(at[0] + end[0]) / 2} ${Math.min(at[1], end[1]) - 22} ${end}`, class: "why-line" }));
    picture.append(titled(svgOf("circle", { cx: at[0], cy: at[1], r: member === parent ? r + 1.5 : r, fill: member === parent ? color : css("--line"),
      stroke: sample.includes(member) ? css("--ink") : "none", "stroke-width": 1.4 }), `query ${member + 1}: ${seenAs(value)}`));
    if (member === dies[query]) picture.append(titled(svgOf("path", { d: `M${at[0] - 6} ${at[1] - 6}l12 12m0 -12l-12 12`, class: "why-cross" }), `query ${member + 1} dies`));
  });
  picture.append(titled(svgOf("path", { d: `M${end[0]} ${end[1] - 7}l7 7l-7 7l-7 -7Z`, fill: color }), `query ${query + 1}: ${seenAs(trials.values[i])}`));
  picture.append(svgOf("text", { x: 6, y: H - 4, class: "why-text" }, alive[query] ? "oldest" : "earlier"),
    svgOf("text", { x: WIDE - 6, y: H - 4, class: "why-text", "text-anchor": "end" }, "the last query"));
  const told = (member) => `query ${member + 1}${trials.place(member) < 0 ? "" : ` (${seenAs(trials.values[trials.place(member)])})`}`;
  const words = [];
  if (parent === NONE) words.push("No parent: drawn at random.");
  else {
    const place = trials.place(parent), changed = place < 0 ? [] : changes(trials.arch(place), trials.arch(i));
    words.push(`Parent: ${told(parent)}.`, changed.length ? `Changed: ${changed.join("; ")}.` : "Nothing was changed.");
  }
  if (dies[query] !== NONE) words.push(`Dies: ${told(dies[query])}, the oldest.`);
  const key = alive[query] ? `Filled: the parent${why.width ? "; ringed: the tournament" : ""}; crossed: who dies; diamond: the new one. Higher is better.`
    : "Filled: what it goes out from; diamond: the new one. Higher is better.";
  return { words, pictures: [picture, ...drawDistance(run, trials, i)], key };
};

// How many decisions separate each query from the best answer of the study.
const drawDistance = (run, trials, i) => {
  const { best } = part().race;
  if (!best) return [];
  const all = Array.from({ length: i + 1 }, (_, k) => distance(trials.arch(k), best.architecture)), most = choicesOf(best.architecture).length;
  if (!all.every(Number.isFinite)) return [];
  const H = 66, x = (k) => 14 + (k * (WIDE - 28)) / Math.max(1, trials.values.length - 1), y = (d) => 8 + (H - 30) * (1 - d / most);
  const picture = svgOf("svg", { viewBox: `0 0 ${WIDE} ${H}`, class: "why-picture", role: "img", "aria-label": "distance to the best at every query" });
  for (const d of [0, most]) picture.append(svgOf("path", { d: `M10 ${y(d)}H${WIDE - 10}`, class: "why-grid" }));
  const color = look(run.name).color;
  all.forEach((d, k) => picture.append(svgOf("circle", { cx: x(k), cy: y(d), r: k === i ? 4 : 1.8, fill: color, opacity: k === i ? 1 : 0.55 })));
  picture.append(svgOf("text", { x: 6, y: H - 4, class: "why-text" },
    `${all[i]} of ${most} decisions from the best ${best.optimal ? "of the space" : "that this study found"}, by query`));
  return [picture];
};

// The probability of every option of every decision, over the queries up to now.
const drawChances = (run, why, trials, i) => {
  const { decisions } = part().race, at = numbers(why.at), rows = numbers(why.rows), query = trials.queries[i] - 1;
  const wide = decisions.reduce((sum, [, options]) => sum + options.length, 0), n = Math.max(1, until(at, query)), last = at[at.length - 1] || 1;
  const left = 70, right = 112, H = 20 * decisions.length + 4, x = (q) => left + ((WIDE - left - right) * q) / last, chosen = choicesOf(trials.arch(i));
  const picture = svgOf("svg", { viewBox: `0 0 ${WIDE} ${H}`, class: "why-picture", role: "img", "aria-label": "probabilities of all options over the queries" });
  let first = 0;
  decisions.forEach(([name, options], d) => {
    const top = 20 * d + 3, below = new Float64Array(n), start = first;
    picture.append(svgOf("text", { x: left - 5, y: top + 11, class: "why-text", "text-anchor": "end" }, name.slice(0, 11)));
    options.forEach((option, o) => {
      const up = [], down = [];
      for (let k = 0; k < n; k++) {
        const p = rows[k * wide + start + o] / 65535, q = Math.min(k + 1 < n ? at[k + 1] : query + 0.5, last);
        for (const at_ of [at[k], q]) { down.push(`${x(at_).toFixed(1)} ${(top + 15 * below[k]).toFixed(1)}`); up.push(`${x(at_).toFixed(1)} ${(top + 15 * (below[k] + p)).toFixed(1)}`); }
        below[k] += p;
      }
      picture.append(titled(svgOf("path", { d: `M${down.join("L")}L${up.reverse().join("L")}Z`, class: `fill o${o % 8}` }), `${name}: ${option}`));
    });
    const p = rows[(n - 1) * wide + start + chosen[d]] / 65535;
    picture.append(svgOf("text", { x: WIDE - right + 5, y: top + 11, class: "why-text" }, `${Math.round(100 * p)} % ${(options[chosen[d]] || "").slice(0, 13)}`));
    first += options.length;
  });
  const names = new Set(decisions.map(([, options]) => options.join()));
  const legend = make("p", { class: "facts" });
  if (names.size === 1) decisions[0][1].forEach((option, o) => legend.append(make("span", { class: `swatch b${o % 8}` }), ` ${option}  `));
  const spread = decisions.map(([, options], d) => rows[(n - 1) * wide + decisions.slice(0, d).reduce((s, [, o]) => s + o.length, 0) + chosen[d]] / 65535);
  const likely = spread.reduce((product, p) => product * p, 1);
  return { words: [`Drawn from the policy, which gave this architecture a probability of ${Number((100 * likely).toPrecision(2))} %.`], pictures: [picture, legend],
    key: `Shares of the options of every decision over the queries; on the right what was drawn, with its probability${at[n - 1] < query ? ` (as of query ${at[n - 1] + 1})` : ""}.` };
};

// What the model expects of the neighbors of the last query: one line a decision, along which it takes all its options.
const drawPromise = (run, why, trials, i) => {
  const { decisions } = part().race, at = numbers(why.at), query = trials.queries[i] - 1, chosen = choicesOf(trials.arch(i));
  const k = until(at, query) - 1;
  if (k < 0) return { words: ["Drawn at random: the model begins when enough has been seen."], pictures: [], key: "" };
  if (at[k] !== query) return { words: [`The acquisition is shown as of query ${at[k] + 1}: this run has too many queries for all of them.`], pictures: [], key: "" };
  const wide = decisions.reduce((sum, [, options]) => sum + options.length, 0);
  const [mean, deviation, score] = ["mean", "deviation", "score"].map((name) => numbers(why[name]).subarray(k * wide, (k + 1) * wide));
  const known = Array.from(mean, (m, j) => (Number.isFinite(m) ? [m - deviation[j], m + deviation[j]] : [])).flat();
  const low = Math.min(...known), high = Math.max(...known), top = Math.max(...Array.from(score).filter(Number.isFinite), 0), floor = Math.min(...Array.from(score).filter(Number.isFinite), 0);
  const H = 190, gap = 8, width = (WIDE - 20 - gap * (decisions.length - 1)) / wide, color = look(run.name).color;
  const y = (v) => 8 + 86 * (1 - (v - low) / (high - low || 1)), bar = (v) => 58 * ((v - floor) / (top - floor || 1));
  const picture = svgOf("svg", { viewBox: `0 0 ${WIDE} ${H}`, class: "why-picture", role: "img", "aria-label": `${why.called} of the neighbors of the last query` });
  let j = 0;
  decisions.forEach(([name, options], d) => {
    const begin = 10 + j * width + d * gap;
    options.forEach((option, o) => {
      const x = begin + (o + 0.5) * width, asked = chosen[d] === o, tried = Number.isFinite(mean[j]) && !Number.isFinite(score[j]);
      const ink = asked ? color : css("--muted");
      const group = svgOf("g", {});
      if (Number.isFinite(mean[j])) {
        group.append(svgOf("path", { d: `M${x} ${y(mean[j] - deviation[j])}V${y(mean[j] + deviation[j])}`, stroke: ink, "stroke-width": 1.4 }),
          svgOf("circle", { cx: x, cy: y(mean[j]), r: asked ? 4 : 2.6, fill: tried ? css("--raised") : ink, stroke: ink, "stroke-width": 1.2 }));
      }
      if (Number.isFinite(score[j])) group.append(svgOf("rect", { x: x - width * 0.36, width: width * 0.72, y: 168 - bar(score[j]), height: Math.max(0.6, bar(score[j])), fill: ink }));
      const said = Number.isFinite(mean[j]) ? `${mean[j].toFixed(2)} ± ${deviation[j].toFixed(2)}, ${tried ? "trained already" : `${why.called} ${score[j].toPrecision(3)}`}` : "no candidate";
      picture.append(titled(group, `${name}: ${option}${asked ? " (asked)" : ""}: ${said}`));
      j += 1;
    });
    picture.append(svgOf("path", { d: `M${begin} 168h${width * options.length}`, class: "why-grid" }));
    if (decisions.length <= 10) picture.append(svgOf("text", { x: begin + (width * options.length) / 2, y: 182, class: "why-text", "text-anchor": "middle" }, name.slice(0, 9)));
  });
  return { words: [`Asked for the highest ${why.called} of all candidates: ${Number(score[chosen[0]].toPrecision(3))}.`], pictures: [picture],
    key: `One decision of it is changed along each line. Above: what the model expects, ± a standard deviation (in those of the values seen; hollow: trained already). Bars: ${why.called}; in color: what was asked.` };
};
const PICTURES = { lineage: drawLineage, chances: drawChances, promise: drawPromise };

const drawWhy = () => {
  const { race } = part(), names = shown(race.strategies), box = byId("why"), key = JSON.stringify([part().name, state.dark, names]);
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(...names.map((name) => {
      const card = make("article", { class: "card", style: `--color:${look(name).color}`, "data-strategy": name });
      card.append(make("h3", {}, name), make("p", { class: "state" }), make("p", { class: "words" }), make("div", { class: "pictures" }), make("p", { class: "facts" }));
      return card;
    }));
  }
  for (const card of box.children) {
    const name = card.dataset.strategy, run = { ...race.strategies[name], name }, why = run.why, trials = trialsOf(run), i = trials.n - 1;
    if (card.dataset.at === `${i}`) continue;
    card.dataset.at = `${i}`;
    const [state_, words, pictures, facts] = card.querySelectorAll(":scope > .state, :scope > .words, :scope > .pictures, :scope > .facts");
    const known = i >= 0 && trials.values.subarray(0, i).every((v) => better(trials.values[i], v));
    state_.textContent = i < 0 ? (trials.values.length ? "nothing tried yet" : "")
      : `Query ${trials.queries[i]} of seed ${run.seed}: ${seenAs(trials.values[i])} seen${known ? ", the best so far" : ""}`;
    const found = why.none ? { words: [`No picture: ${why.none}`], pictures: [], key: "" }
      : i < 0 || !race.decisions.length ? { words: [], pictures: [], key: "" } : PICTURES[why.kind](run, why, trials, i);
    words.textContent = found.words.join(" ");
    pictures.replaceChildren(...found.pictures);
    facts.textContent = found.key;
  }
};
