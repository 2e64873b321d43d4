// The replay: a clock of simulated time, what each strategy held to be best by then, and what it was trying.
const STEPS = 1000, LASTS = 14; // positions of the slider; seconds that a whole replay takes
const replay = { playing: false, before: 0, frame: 0, speed: 1 };

const times = () => {
  const data = anytimeData();
  return data && data.at ? numbers(data.at) : null;
};
const timeAt = (step) => {
  const at = times(), first = at[0] * 0.95, last = at[at.length - 1];
  if (step >= STEPS) return Infinity;
  return state.scale === "linear" ? (last * step) / STEPS : first * (last / first) ** (step / STEPS);
};
const stepAt = (time) => {
  const at = times(), first = at[0] * 0.95, last = at[at.length - 1];
  if (time >= last) return STEPS;
  return Math.max(0, state.scale === "linear" ? (STEPS * time) / last : STEPS * Math.log(time / first) / Math.log(last / first));
};
// When a training of a typical run ended, or another architecture became its answer: of those that are shown, in order.
const events = () => {
  const { race } = part();
  const all = shown(race.strategies).flatMap((name) => [`tried_${state.axis}`, state.axis].flatMap((key) => Array.from(numbers(race.strategies[name][key]))));
  return [...new Set(all)].sort((a, b) => a - b);
};
const step = (way) => {
  const end = times() ? times().at(-1) : 0, here = now(), near = 1e-6 * here;
  const next = way > 0 ? events().find((time) => time > here + near) : events().findLast((time) => time < here - near);
  setPlaying(false);
  if (next === undefined) return change({ time: way > 0 ? Infinity : timeAt(0) });
  change({ time: next >= end ? Infinity : next });
};
const setFull = async (wanted) => {
  document.documentElement.classList.toggle("staged", wanted);
  byId("full").textContent = wanted ? "leave full screen" : "full screen";
  byId("full").setAttribute("aria-pressed", wanted);
  try {
    if (wanted && document.fullscreenEnabled) await document.documentElement.requestFullscreen();
    if (!wanted && document.fullscreenElement) await document.exitFullscreen();
  } catch { /* a browser that allows none: the page alone makes room */ }
  window.dispatchEvent(new Event("resize"));
};
const now = () => Math.min(state.time, times() ? times().at(-1) : 0);

const setPlaying = (playing) => {
  replay.playing = playing;
  byId("play").textContent = playing ? "❚❚ pause" : "▶ play";
  cancelAnimationFrame(replay.frame);
  if (!playing) return;
  if (state.time === Infinity) state.time = timeAt(0);
  replay.before = performance.now();
  const tick = (moment) => {
    const passed = moment - replay.before;
    if (passed >= 33) {
      replay.before = moment;
      const step = stepAt(state.time) + replay.speed * STEPS * Math.min(passed, 250) / 1000 / LASTS;
      change({ time: timeAt(step) });
      if (step >= STEPS) return setPlaying(false);
    }
    if (replay.playing) replay.frame = requestAnimationFrame(tick);
  };
  replay.frame = requestAnimationFrame(tick);
};

// The last incumbent of a typical run by now; -1 if there is none yet.
const incumbent = (run) => {
  const at = numbers(run[state.axis]);
  let i = at.length - 1;
  while (i >= 0 && at[i] > now()) i--;
  return i;
};

// The unit behind a number of a card.
const unitShown = () => {
  const { metric } = part(), points = metric.regret_unit === "percentage points" ? "points" : metric.regret_unit;
  return state.value === "regret" ? `${points ? `${points} ` : ""}of ${metric.regret}` : metric.unit;
};

const drawCards = () => {
  const race = part().race, cards = byId("cards");
  const names = shown(race.strategies);
  const key = JSON.stringify([part().name, state.dark, names]);
  if (cards.dataset.key !== key) {
    cards.dataset.key = key;
    cards.replaceChildren(...names.map((name) => {
      const card = make("article", { class: "card", style: `--color:${look(name).color}`, "data-strategy": name });
      const mode = part().modes[name];
      const title = make("h3", {}, `${name} `);
      if (mode !== "black-box") title.append(make("span", { class: "badge" }, mode));
      card.append(title, make("p", { class: "facts" }, `its typical run: seed ${race.strategies[name].seed}`), make("div", { class: "drawing" }), make("p", { class: "state" }), make("code", {}));
      return card;
    }));
  }
  for (const card of cards.children) {
    const run = race.strategies[card.dataset.strategy], i = incumbent(run);
    if (card.dataset.at === `${i} ${state.axis} ${state.split} ${state.value}`) continue;
    card.dataset.at = `${i} ${state.axis} ${state.split} ${state.value}`;
    card.querySelector(".drawing").innerHTML = i < 0 ? "" : race.drawings[run.drawings[i]];
    card.querySelector("code").textContent = i < 0 ? "" : run.cells[i];
    const since = i < 0 ? "" : `${said(numbers(run[state.split])[i])} ${unitShown()} since ${duration(numbers(run[state.axis])[i])}`;
    card.querySelector(".state").textContent = i < 0 ? "no answer yet" : since;
  }
};

const drawTried = () => {
  const { race, metric } = part(), end = now(), at = times();
  const names = shown(race.strategies).filter((name) => numbers(race.strategies[name].tried).length);
  if (!at || !names.length) return cannot("tried", "no strategy that is shown made a query.");
  let low = Infinity, high = -Infinity;
  const traces = names.map((name) => {
    const run = race.strategies[name], x = numbers(run[`tried_${state.axis}`]), y = numbers(run.tried);
    const sorted = Float32Array.from(y).sort();
    const worst = Math.floor(0.15 * sorted.length);
    low = Math.min(low, sorted[upwards() ? worst : 0]);
    high = Math.max(high, sorted[sorted.length - 1 - (upwards() ? 0 : worst)]);
    let n = x.length;
    while (n > 0 && x[n - 1] > end) n--;
    const { color, symbol } = look(name);
    return { type: "scatter", mode: "markers", name: labeled(name), meta: name, x: Array.from(x.subarray(0, n)), y: Array.from(y.subarray(0, n)),
      marker: { color, symbol, size: 6, opacity: 0.75 }, hovertemplate: metric.unit === "%" ? "%{y:.2f} %" : `%{y:.4g} ${metric.unit}` };
  });
  const room = 0.05 * (high - low) || 1;
  return draw("tried", traces, layoutOf(axisOf().title, `${metric.titles.valid.replace(/( \[|$)/, " seen$1")}`, {
    hovermode: "closest", xaxis: timeAxis(at), yaxis: { range: [low - room, high + room] },
  }));
};

// What the columns of the table at the clock are: by the choice of center, and in full below the table.
const CENTERS = {
  median: ["median", "lower to upper quartile", "the median over seeds", "from the lower to the upper quartile: the middle half of the runs"],
  iqm: ["interquartile mean", "95 % interval", "the mean of the middle half of the seeds", "its 95 % bootstrap interval over seeds"],
  mean: ["mean", "± one standard deviation", "the mean over seeds", "one standard deviation over seeds to either side"],
};
const drawColumns = () => {
  const { metric } = part(), [center, band, centerSaid, bandSaid] = CENTERS[state.center], regret = state.value === "regret";
  const what = regret ? `${SPLITS[state.split]} ${metric.regret}` : metric.titles[state.split].replace(/ \[.*/, "");
  const unit = bracketed(regret ? metric.regret_unit : metric.unit);
  byId("readout-head").replaceChildren(...["strategy", center, band, "answered [% of runs]"].map((text, i) =>
    make("th", { scope: "col", class: i ? "" : "text" }, text)));
  byId("readout-caption").textContent = `At the time of the clock: ${what}${unit}`;
  byId("columns").textContent = `Center (the line): ${centerSaid} of the ${what}. The band: ${bandSaid}. ` +
    "Answered: how many of the runs had their first answer by then.";
};

// The curves in words at the time of the clock: for the keyboard, for a screen reader, for a phone.
const drawReadout = () => {
  const body = byId("readout"), data = anytimeData(), at = times();
  byId("clock").textContent = at ? `after ${duration(now())}` : "no time to show";
  byId("time").value = at ? Math.round(stepAt(state.time)) : STEPS;
  byId("time").setAttribute("aria-valuetext", byId("clock").textContent);
  drawColumns();
  if (!at) return body.replaceChildren();
  const n = Math.max(1, until(at));
  const rows = shown(data.strategies).map((name) => {
    const found = data.strategies[name], places = found[state.center] && inOrder(found[state.center]);
    const value = (place) => until(at) ? said(numbers(place)[n - 1]) : "none yet";
    const share = until(at) ? numbers(found.reached)[n - 1] : 0;
    const cells = places ? [value(places[0]), `${value(places[1])}\u00a0to\u00a0${value(places[2])}`] : ["–", found.why];
    return make("tr", {}, make("th", { scope: "row", class: "text" }, labeled(name)), ...[...cells, `${Math.round(100 * share)}`].map((text) => make("td", {}, text)));
  });
  body.replaceChildren(...rows);
};

const drawRace = () => {
  drawCards();
  drawWhy();
  drawReadout();
  drawTried();
};
