// The data of the page, and what is shown of them: one state for all charts.
"use strict";
const study = JSON.parse(document.getElementById("data").textContent);
const bytes = (() => {
  const text = atob(document.getElementById("block").textContent.trim());
  const found = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) found[i] = text.charCodeAt(i);
  return found.buffer;
})();
const KINDS = { f4: Float32Array, u4: Uint32Array, u2: Uint16Array };
const numbers = ([kind, start, count]) => new KINDS[kind](bytes, start, count);

const SPLITS = { valid: "validation", test: "test" };

const state = {
  benchmark: 0, axis: "seconds", scale: "log", value: "regret", split: "valid", center: "median", single: false,
  hidden: new Set(), time: Infinity, dark: false,
};
const watchers = [];
const change = (news) => {
  Object.assign(state, news);
  for (const watcher of watchers) watcher(news);
};
const part = () => study.benchmarks[state.benchmark];
// What the axis counts; the clock of a benchmark counts seconds, or costs that it declares.
const axisOf = () => state.axis === "seconds" ? part().clock : { unit: state.axis, title: state.axis === "epochs" ? "epochs trained" : "queries" };
const byId = (id) => document.getElementById(id);
const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

// What tells strategies apart: color, dash and symbol, the same in all charts.
const look = (name) => {
  const i = study.strategies.indexOf(name), n = study.colors.light.length;
  const dashes = study.dashes[(i + Math.floor(i / n)) % study.dashes.length];
  return {
    color: study.colors[state.dark ? "dark" : "light"][i % n],
    dash: dashes.length ? dashes.map((d) => `${d * 1.6}px`).join(",") : "solid",
    symbol: study.symbols[i % study.symbols.length],
  };
};
const translucent = (color, alpha) => {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  return `rgba(${r},${g},${b},${alpha})`;
};
const labeled = (name) => {
  const mode = part().modes[name];
  return mode && mode !== "black-box" ? `${name} (${mode})` : name;
};
const shown = (strategies) => Object.keys(strategies).filter((name) => !state.hidden.has(name) && strategies[name]);

const reference = () => part().references[state.split];
// What was measured, from regret: the best value less it, as a person reads it. Of a loss less is better.
const READ = { up: (value) => value, down: (value) => -value, exp: (value) => Math.exp(-value) };
const measured = (regret) => READ[part().metric.kind](reference().value - regret);
const upwards = () => part().metric.kind === "up";
// Regret to what is shown: that, no lower than the floor of a logarithmic axis, or what was measured.
const drawn = (regret) => state.value === "measured" ? measured(regret) : Math.max(regret, part().floor);
const written = (value, decimals) => part().metric.decimals === null ? `${Number(value.toPrecision(decimals + 2))}` : value.toFixed(decimals);
const said = (regret) => {
  const value = state.value === "measured" ? measured(regret) : regret;
  return Number.isFinite(value) && Number.isFinite(regret) ? written(value, state.value === "measured" ? 2 : 3) : "none yet";
};
const bracketed = (unit) => unit ? ` [${unit}]` : "";
// Queries and epochs are whole: at 12.7 queries there are twelve.
const counts = () => state.axis !== "seconds";
const amount = (value) => value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3).replace(/\.?0+$/, "");
const duration = (value) => {
  const { unit: counted } = axisOf();
  if (counts()) {
    const whole = Math.floor(value + 1e-3), one = { queries: "query", epochs: "epoch" };
    return `${whole.toLocaleString("en")} ${whole === 1 ? one[counted] : counted}`;
  }
  if (counted !== "s") return `${amount(value)} ${counted}`;
  const [size, unit] = [[86400, "days"], [3600, "h"], [60, "min"]].find(([s]) => value >= s) || [1, "s"];
  return `${amount(value)} s` + (size > 1 ? ` (${(value / size).toFixed(1)} ${unit})` : "");
};
