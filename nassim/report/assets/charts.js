// The charts: anytime curves, distributions of running times, ranks over time, fronts.
const NARROW = window.innerWidth < 640;
const CONFIG = { // the buttons by name: none that would send data anywhere
  responsive: true, displaylogo: false, displayModeBar: NARROW ? false : "hover",
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "resetScale2d"]],
};
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const layoutOf = (xTitle, yTitle, more = {}) => {
  const axis = { gridcolor: css("--line"), linecolor: css("--muted"), zeroline: false, ticks: "outside", automargin: true, fixedrange: false };
  const { xaxis = {}, yaxis = {}, ...rest } = more;
  return {
    paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"), showlegend: false, hovermode: "x unified",
    font: { color: css("--ink"), family: getComputedStyle(document.body).fontFamily, size: 12.5 },
    margin: { l: 58, r: 12, t: 12, b: 46 }, dragmode: NARROW ? false : "zoom",
    hoverlabel: { bgcolor: css("--raised"), bordercolor: css("--line"), font: { color: css("--ink") } },
    xaxis: { ...axis, title: { text: xTitle }, ...xaxis }, yaxis: { ...axis, title: { text: yTitle }, ...yaxis }, ...rest,
  };
};
// A logarithmic axis whose ticks are whole numbers: Plotly writes 2 and 5 for 20 and 50 where no format is asked for.
// Less than a factor of ten gets even ticks, a narrow screen powers of ten, others 1, 2 and 5 too.
const logAxis = (low, high, narrow = NARROW) => ({
  type: "log", tickformat: low < 1 ? "~g" : "~s", dtick: high < 10 * low ? undefined : narrow ? 1 : "D2",
});
const eitherAxis = (low, high) => (low > 0 && high >= 4 * low ? logAxis(low, high) : { tickformat: high < 1 ? "~g" : "~s" });
const cannot = (id, why) => {
  Plotly.purge(id);
  byId(id).replaceChildren(make("p", { class: "why" }, `This cannot be drawn: ${why}`));
};
const draw = (id, traces, layout) => {
  const chart = byId(id);
  if (chart.querySelector(":scope > .why")) chart.replaceChildren();
  return Plotly.react(chart, traces, layout, CONFIG);
};
const line = (name, more) => {
  const { color, dash, symbol } = look(name);
  return {
    type: "scatter", mode: "lines+markers", name: labeled(name), legendgroup: name, meta: name,
    line: { color, dash, width: 2.2, shape: "hv" }, marker: { color, symbol, size: 7, maxdisplayed: 7 }, ...more,
  };
};

// How many of the times are shown while the clock of the replay stands at state.time; a curve ends at its own end.
const until = (at, stop = state.time) => {
  let n = at.length;
  while (n > 0 && at[n - 1] > stop) n--;
  return n;
};
const cut = (at, end = Infinity) => {
  const stop = Math.min(state.time, end), n = until(at, stop), x = Array.from(at.subarray(0, n));
  if (n > 0 && n < at.length) x.push(stop);
  return { x, n };
};
const along = (values, n, length, map) => {
  const y = Array.from(values.subarray(0, n), map);
  if (length > n) y.push(y[n - 1]);
  return y;
};
const finite = (value) => Number.isFinite(value) ? value : null;

const anytimeData = () => part().curves[state.axis][state.split];

// Center, lower and upper limit as they are shown: a high regret is a low accuracy, but a high loss.
const inOrder = ([center, low, high]) => (state.value === "measured" && upwards() ? [center, high, low] : [center, low, high]);

const bandOf = (name, data, at) => {
  const places = data.strategies[name][state.center];
  if (!places) return [];
  const [center, low, high] = inOrder(places).map(numbers), { x, n } = cut(at, data.strategies[name].end);
  const reached = numbers(data.strategies[name].reached);
  const lower = along(low, n, x.length, (v) => finite(drawn(v)));
  const upper = along(high, n, x.length, (v) => finite(drawn(v)));
  const both = lower.map((v, i) => v !== null && upper[i] !== null);
  const text = along(center, n, x.length, (v) => said(v)).map((value, i) => {
    const j = Math.min(i, n - 1), share = reached[j] < 1 ? `, ${Math.round(100 * reached[j])} % of the runs have an answer` : "";
    return both[i] ? `${value} [${said(low[j])}, ${said(high[j])}]${share}` : value + share;
  });
  const { color } = look(name), from = both.indexOf(true);
  const edge = { type: "scatter", mode: "lines", line: { width: 0, shape: "hv", color }, hoverinfo: "skip", meta: `${name} band` };
  const band = from < 0 || state.single ? [] : [
    { ...edge, x: x.slice(from), y: lower.slice(from) },
    { ...edge, x: x.slice(from), y: upper.slice(from), fill: "tonexty", fillcolor: translucent(color, state.dark ? 0.22 : 0.16) },
  ];
  return [...band, line(name, { x, y: along(center, n, x.length, (v) => finite(drawn(v))), text, hovertemplate: "%{text}" })];
};

// All runs of a strategy as one line with gaps: thousands of them are one path.
const singleRuns = (name, at) => {
  const runs = part().runs[name];
  if (!runs || !runs[state.split]) return [];
  const lengths = numbers(runs.lengths), seeds = numbers(runs.seeds), x = numbers(runs[state.axis]), y = numbers(runs[state.split]);
  const end = Math.min(state.time, at[at.length - 1]), xs = [], ys = [], text = [];
  for (let run = 0, i = 0; run < lengths.length; run++) {
    const stop = i + lengths[run];
    let last = null;
    for (; i < stop; i++) {
      if (x[i] > end) continue;
      last = drawn(y[i]);
      xs.push(x[i]); ys.push(last); text.push(`${name}, seed ${seeds[run]}: ${said(y[i])}`);
    }
    if (last !== null) { xs.push(end, null); ys.push(last, null); text.push("", ""); }
  }
  const alpha = Math.max(0.06, Math.min(0.5, 12 / Math.max(1, lengths.length)));
  return [{
    type: "scatter", mode: "lines", x: xs, y: ys, text, hovertemplate: "%{text}<extra></extra>", connectgaps: false,
    line: { color: translucent(look(name).color, alpha), width: 1, shape: "hv" }, meta: `${name} runs`,
  }];
};

const timeAxis = (at) => {
  const first = at[0], last = at[at.length - 1], whole = counts();
  if (state.scale === "linear") {
    return { type: "linear", range: [0, last * 1.03], tickformat: whole ? ",d" : last < 1 ? "~g" : "~s", dtick: whole && last < 8 ? 1 : undefined, hoverformat: whole ? ",d" : ",.4~g" };
  }
  return { ...logAxis(first, last), range: [Math.log10(first * 0.95), Math.log10(last * 1.03)], hoverformat: whole ? ",d" : ",.4~g" };
};

const drawAnytime = () => {
  const data = anytimeData();
  if (!data || !data.at) return cannot("curves", data ? data.why : "this benchmark has no results on this split.");
  const at = numbers(data.at), names = shown(data.strategies);
  const traces = [...(state.single ? names.flatMap((name) => singleRuns(name, at)) : []), ...names.flatMap((name) => bandOf(name, data, at))];
  const { metric, floor: lowest } = part(), regret = state.value === "regret";
  const yTitle = regret ? `${SPLITS[state.split]} ${metric.regret}${bracketed(metric.regret_unit)}` : metric.titles[state.split];
  const range = spread(data, names);
  const floor = regret && range.low <= lowest;
  const layout = layoutOf(axisOf().title, yTitle, {
    hovermode: state.single ? "closest" : "x unified",
    xaxis: timeAxis(at),
    yaxis: regret ? { ...logAxis(range.low, range.high, false), range: [Math.log10(range.low * 0.85), Math.log10(range.high * 1.15)] }
      : { range: [range.low - 0.04 * (range.high - range.low), range.high + 0.04 * (range.high - range.low)] },
    shapes: floor ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: lowest, y1: lowest, line: { color: css("--muted"), width: 1, dash: "dot" } }] : [],
    annotations: floor ? [{ xref: "paper", x: 0.01, y: Math.log10(lowest), yanchor: "bottom", xanchor: "left", showarrow: false,
      text: `regret below ${lowest}, zero included, is drawn here`, font: { size: 11, color: css("--muted") } }] : [],
  });
  sayWorse(data, names);
  return draw("curves", traces, layout);
};
// A best-so-far that gets worse looks like a mistake: why it is none is said where it is seen.
const sayWorse = (data, names) => {
  const worse = names.filter((name) => (data.strategies[name].worse || []).includes(state.center)), split = SPLITS[state.split];
  byId("worse").textContent = worse.length ? `Gets worse in places: ${worse.join(", ")}. A run's answer is the best by what the search saw ` +
    `(one training, or shared weights), and is scored here by the mean ${split} accuracy of that architecture's trainings.` : "";
};

// The range that the whole curves need, so that the axes stand still in the replay.
// It begins where every strategy that is shown has an answer: first guesses would take half of it.
const spread = (data, names) => {
  let low = Infinity, high = -Infinity;
  const centers = (names.length ? names : Object.keys(data.strategies)).map((name) => data.strategies[name][state.center] || []);
  const begun = Math.max(0, ...centers.filter((places) => places.length).map((places) => numbers(places[0]).findIndex(Number.isFinite)));
  for (const places of centers) {
    places.forEach((place, i) => {
      const values = numbers(place);
      for (let j = begun; j < values.length; j++) {
        const y = drawn(values[j]);
        if (Number.isFinite(y) && (i === 0 || y < 3 * part().floor)) { low = Math.min(low, y); high = Math.max(high, y); }
      }
    });
  }
  if (!Number.isFinite(low)) [low, high] = state.value === "regret" ? [part().floor, 1e4 * part().floor] : [0, 100];
  return low < high ? { low, high } : { low: low * 0.9, high: high * 1.1 + 1e-9 };
};

const drawOverTime = (id, data, yTitle, yaxis, form, more = {}) => {
  if (data.why) return cannot(id, data.why);
  const at = numbers(data.at);
  const traces = shown(data.strategies).map((name) => {
    const y = numbers(data.strategies[name]);
    return line(name, { x: Array.from(at), y: Array.from(y), hovertemplate: `%{y:${form}}` });
  });
  return draw(id, traces, layoutOf(axisOf().title, yTitle, { xaxis: timeAxis(at), yaxis, ...more }));
};
const drawDistribution = () => {
  const data = part().distribution[state.axis];
  const budget = data.why ? 1 : data.budget;
  return drawOverTime("distribution", data, "share of (run, target) pairs solved", { range: [0, 1.02] }, ".1%", {
    shapes: [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: budget, x1: budget, line: { color: css("--muted"), width: 1, dash: "dot" } }],
    annotations: [{ x: state.scale === "linear" ? budget : Math.log10(budget), y: 0.03, yref: "paper", xanchor: "right", showarrow: false, text: "most that a run spent ", font: { size: 11, color: css("--muted") } }],
  });
};
const drawRanks = () => {
  const data = part().ranks[state.axis];
  byId("ranks-note").textContent = data.note;
  return drawOverTime("ranks", data, "mean rank (1 is best)", { autorange: "reversed" }, ".2f");
};

const drawFronts = () => {
  const choices = part().fronts;
  if (!Array.isArray(choices)) return cannot("fronts", choices);
  const pick = byId("objectives");
  if (pick.dataset.of !== part().name) {
    pick.replaceChildren(...choices.map((choice, i) => make("option", { value: i }, choice.objectives.join(" and "))));
    pick.dataset.of = part().name;
  }
  for (const element of document.querySelectorAll("[data-objectives]")) element.hidden = element.dataset.objectives !== pick.value;
  const choice = choices[Number(pick.value) || 0], which = byId("surface").value;
  const traces = shown(choice.strategies).map((name) => {
    const [y, x] = choice.strategies[name][which].map(numbers);
    return line(name, { x: Array.from(x).reverse(), y: Array.from(y).reverse(), marker: { ...line(name).marker, maxdisplayed: 0 }, hovertemplate: "%{y:.2f} at %{x:.4~g}" });
  });
  const [y, x] = choice.true.map(numbers);
  if (x.length) {
    traces.unshift({ type: "scatter", mode: "lines", name: "true front", x: Array.from(x).reverse(), y: Array.from(y).reverse(),
      line: { color: css("--muted"), width: 5, shape: "hv" }, opacity: 0.4, meta: "true front", hovertemplate: "%{y:.2f} at %{x:.4~g}" });
  }
  const [xaxis, yaxis] = ["x", "y"].map((which) => {
    const all = traces.flatMap((trace) => trace[which]);
    return eitherAxis(Math.min(...all), Math.max(...all));
  });
  return draw("fronts", traces, layoutOf(choice.labels[1], choice.labels[0], { hovermode: "closest", xaxis, yaxis }));
};
