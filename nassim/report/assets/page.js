// Controls, themes, print.
// The first chart at once; the others, which lie below, as soon as the page has been shown.
const later = [];
const drawAll = () => {
  drawAnytime();
  drawCards();
  drawReadout();
  const waiting = later.length;
  later.splice(0, waiting, drawWhy, drawTrials, drawTried, drawDistribution, drawRanks, drawFronts);
  if (!waiting) setTimeout(drawNext);
};
const drawNext = () => {
  const next = later.shift();
  if (next) next();
  if (later.length) setTimeout(drawNext);
  else if (!document.documentElement.dataset.complete) document.documentElement.dataset.complete = performance.now().toFixed(0);
};
const drawRest = () => { while (later.length) drawNext(); };

const drawLegend = () => {
  const buttons = study.strategies.filter((name) => name in part().modes).map((name) => {
    const { color, dash, symbol } = look(name), on = !state.hidden.has(name);
    const button = make("button", { type: "button", "aria-pressed": on, "data-strategy": name });
    button.innerHTML = `<svg viewBox="0 0 34 12" aria-hidden="true"><path d="M0 6H34" stroke="${color}" stroke-width="2.6" stroke-dasharray="${dash === "solid" ? "" : dash.replace(/px/g, "")}"/>${SYMBOLS[symbol](color)}</svg>`;
    button.append(make("span", {}, name));
    const mode = part().modes[name];
    if (mode !== "black-box") button.append(make("span", { class: "badge", title: part().notes[name] || "" }, mode));
    button.addEventListener("click", () => {
      const hidden = new Set(state.hidden);
      if (!hidden.delete(name)) hidden.add(name);
      change({ hidden });
      byId("legend").querySelector(`[data-strategy="${CSS.escape(name)}"]`).focus();
    });
    return button;
  });
  byId("legend").replaceChildren(...buttons);
};
const shape = (points) => (color) => `<path d="${points}" fill="${color}"/>`;
const SYMBOLS = {
  circle: (color) => `<circle cx="17" cy="6" r="4" fill="${color}"/>`, square: shape("M13 2h8v8h-8Z"),
  "triangle-up": shape("M17 1l5 9h-10Z"), diamond: shape("M17 1l5 5l-5 5l-5-5Z"), "triangle-down": shape("M17 11l5-9h-10Z"),
  cross: shape("M15 1h4v3h3v4h-3v3h-4v-3h-3v-4h3Z"), x: shape("M13 1l4 4l4-4l1 1l-4 4l4 4l-1 1l-4-4l-4 4l-1-1l4-4l-4-4Z"),
  star: shape("M17 0l1.6 4.2h4.4l-3.5 2.7l1.3 4.3l-3.8-2.6l-3.8 2.6l1.3-4.3l-3.5-2.7h4.4Z"),
};

// Options that this benchmark cannot show are there, but say why they cannot be chosen.
const fitControls = () => {
  const { references, lacking } = part();
  if (!references[state.split]) state.split = Object.keys(references)[0] || part().split;
  for (const option of byId("split").options) {
    option.disabled = !references[option.value];
    option.textContent = SPLITS[option.value] + (option.disabled ? " (none)" : "");
    option.title = lacking[option.value] || "";
  }
  byId("value").options[1].textContent = part().metric.name;
  for (const id of ["benchmark", "axis", "scale", "value", "split", "center"]) byId(id).value = state[id];
  byId("axis").options[0].textContent = part().clock.words;
  const chosen = (id) => byId(id).selectedOptions[0].textContent;
  byId("shown").textContent = `Charts: ${part().name}, ${chosen("split")} ${chosen("value")} against ${chosen("axis")}, ${chosen("center")}.`;
  byId("single").checked = state.single;
  for (const element of document.querySelectorAll("[data-benchmark]")) element.hidden = element.dataset.benchmark !== part().name;
  for (const element of document.querySelectorAll("[data-axis]")) element.hidden = element.dataset.axis !== state.axis;
  const runs = Object.values(part().runs), left = runs.reduce((sum, run) => sum + run.left_out, 0);
  byId("hint").textContent = state.single && left ? `${left} runs are not in this page: it would be too large.` : "";
};

// Hidden strategies leave the tables too; what was tested, was tested with them.
const fitTables = () => {
  const hidden = (name) => state.hidden.has(name);
  for (const element of document.querySelectorAll("[data-about]")) element.hidden = JSON.parse(element.dataset.about).some(hidden);
  for (const element of document.querySelectorAll("[data-found]")) element.hidden = JSON.parse(element.dataset.found).every(hidden);
  const names = study.strategies.filter(hidden);
  byId("left-out").hidden = !names.length;
  byId("left-out").textContent = `Hidden: ${names.join(", ")}. Tests, ranks and the diagram are those of all strategies.`;
};

const setTheme = (dark) => {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  byId("theme").textContent = dark ? "light" : "dark";
  change({ dark });
};

const begin = () => {
  const bar = document.querySelector(".controls");
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);
  state.split = part().split;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  state.dark = dark.matches;
  document.documentElement.dataset.theme = state.dark ? "dark" : "light";
  byId("theme").textContent = state.dark ? "light" : "dark";

  watchers.push((news) => {
    if (Object.keys(news).join() === "time") {
      drawAnytime();
      drawRace();
      return;
    }
    if (Object.keys(news).every((key) => ["value", "center", "single"].includes(key))) {
      fitControls();
      drawAnytime();
      drawCards();
      drawReadout();
      return;
    }
    if (["benchmark", "axis", "split"].some((key) => key in news)) {
      setPlaying(false);
      state.time = Infinity;
    }
    fitControls();
    drawLegend();
    fitTables();
    drawAll();
  });
  byId("benchmark").addEventListener("change", (event) => change({ benchmark: Number(event.target.value), split: study.benchmarks[event.target.value].split }));
  for (const id of ["axis", "scale", "value", "split", "center"]) byId(id).addEventListener("change", (event) => change({ [id]: event.target.value }));
  byId("single").addEventListener("change", (event) => change({ single: event.target.checked }));
  byId("theme").addEventListener("click", () => setTheme(!state.dark));
  dark.addEventListener("change", (event) => setTheme(event.matches));
  byId("play").addEventListener("click", () => setPlaying(!replay.playing));
  byId("back").addEventListener("click", () => step(-1));
  byId("forward").addEventListener("click", () => step(1));
  byId("speed").addEventListener("change", (event) => { replay.speed = Number(event.target.value); });
  byId("full").addEventListener("click", () => setFull(!document.documentElement.classList.contains("staged")));
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && document.documentElement.classList.contains("staged")) setFull(false); });
  document.addEventListener("keydown", (event) => { // in full screen, where no control has the focus that wants the key itself
    if (!document.documentElement.classList.contains("staged") || event.target.closest("select, input, button")) return;
    const act = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), " ": () => setPlaying(!replay.playing), Escape: () => setFull(false) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  beginTrials();
  byId("time").addEventListener("input", (event) => {
    setPlaying(false);
    change({ time: timeAt(Number(event.target.value)) });
  });
  for (const id of ["objectives", "surface"]) byId(id).addEventListener("change", drawFronts);

  // On paper: light, and as wide as the sheet.
  let before = null;
  const CHARTS = ["curves", "tried", "distribution", "ranks", "fronts"];
  const resize = (fixed) => {
    const size = fixed ? { width: 680, height: 370, autosize: false } : { width: null, height: null, autosize: true };
    for (const id of CHARTS) if (byId(id).data) Plotly.relayout(byId(id), size);
  };
  const paper = () => {
    if (before !== null) return;
    before = state.dark;
    drawRest();
    document.querySelectorAll("details").forEach((element) => { element.dataset.open = element.open; element.open = true; });
    if (before) setTheme(false);
    drawRest();
    resize(true);
  };
  const screen = () => {
    if (before === null) return;
    document.querySelectorAll("details").forEach((element) => { element.open = element.dataset.open === "true"; });
    resize(false);
    if (before) setTheme(true);
    before = null;
  };
  window.addEventListener("beforeprint", paper);
  window.addEventListener("afterprint", screen);
  matchMedia("print").addEventListener("change", (event) => (event.matches ? paper() : screen()));

  fitControls();
  drawLegend();
  drawAll();
  document.documentElement.dataset.drawn = performance.now().toFixed(0);
};
if (study.benchmarks.length) begin();
