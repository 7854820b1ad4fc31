// Draws each chart of the dashboard from the table behind it, which stays there for screen readers.
"use strict";

const LONGEST_LABEL = 18;
const charts = [];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function tableOf(section) {
  const heads = [...section.querySelectorAll("thead th")].slice(1);
  const rows = [...section.querySelectorAll("tbody tr")];
  return {
    columns: heads.map((head) => head.textContent.trim()),
    names: rows.map((row) => row.cells[0].textContent.trim()),
    short: rows.map((row) => row.cells[0].dataset.short || shorten(row.cells[0].textContent.trim())),
    cells: heads.map((_, place) => rows.map((row) => row.cells[place + 1])),
  };
}

function shorten(text) {
  return text.length > LONGEST_LABEL ? `${text.slice(0, LONGEST_LABEL - 1)}…` : text;
}

function colours(section) {
  const style = getComputedStyle(section);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

// Each colour has a pattern of its own, for who cannot tell the colours apart.
const PATTERNS = [
  null,
  (pen) => [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]].forEach((line) => stroke(pen, ...line)),
  (pen) => { pen.beginPath(); pen.arc(4, 4, 1.6, 0, 2 * Math.PI); pen.fill(); },
  (pen) => stroke(pen, 4, 0, 4, 8),
];

function stroke(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function fill(colour, on, place) {
  const draw = PATTERNS[place % PATTERNS.length];
  if (!draw) return colour;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 8, 8);
  pen.fillStyle = pen.strokeStyle = on;
  pen.lineWidth = 1.5;
  draw(pen);
  return pen.createPattern(tile, "repeat");
}

const NAMES = ["second", "third", "first", "fourth"];

function values(table, place) {
  return table.cells[place].map((cell) => Number(cell.dataset.value));
}

function bar(table, place, colour, more = {}) {
  return {
    type: "bar", label: table.columns[place], data: values(table, place), backgroundColor: colour,
    maxBarThickness: 44, borderRadius: 2, pointStyle: "rect", ...more,
  };
}

function line(table, place, colour, more = {}) {
  return {
    type: "line", label: table.columns[place], data: values(table, place), borderColor: colour,
    backgroundColor: colour, borderWidth: 2, tension: 0, pointRadius: table.names.length > 45 ? 0 : 3,
    ...more,
  };
}

function datasets(kind, table, colour, drawn) {
  const [first, second] = [colour("first"), colour("second")];
  switch (kind) {
    case "stacked":
      return [...Array(drawn).keys()].map((place) => bar(
        table, place, fill(colour(NAMES[place % 4]), colour("card"), place),
        { borderColor: colour("card"), borderWidth: 1 },
      ));
    case "trend":
      return [
        line(table, 1, second, { pointStyle: "rectRot", order: 0 }),
        bar(table, 0, first, { order: 1 }),
      ];
    case "lines":
      return [
        line(table, 0, first),
        line(table, 1, second, { borderDash: [6, 4], pointStyle: "rectRot" }),
      ];
    case "pareto":
      return [
        line(table, 1, second, { yAxisID: "share", pointStyle: "rectRot", order: 0 }),
        bar(table, 0, first, { order: 1, maxBarThickness: 90, categoryPercentage: 0.9 }),
      ];
    default:
      return [bar(table, 0, first)];
  }
}

function scales(kind, table, colour) {
  const ticks = { color: colour("faint") };
  const size = {
    beginAtZero: true, border: { display: false }, grid: { color: colour("rule") },
    ticks: { ...ticks, precision: 0, maxTicksLimit: 6 },
  };
  const names = { grid: { display: false }, border: { color: colour("rule") }, ticks };
  if (kind === "stacked") {
    return { x: { ...size, stacked: true }, y: { ...names, stacked: true } };
  }
  if (kind === "bars") return { x: size, y: names };
  const upright = { x: { ...names, ticks: { ...ticks, maxRotation: kind === "pareto" ? 60 : 0 } }, y: size };
  if (kind !== "pareto") return upright;
  const share = {
    position: "right", min: 0, max: 100, grid: { color: colour("rule") }, border: { display: false },
    ticks: { ...ticks, stepSize: 20, callback: (value) => `${value}%` },
  };
  // Both axes end at the whole, so that the line begins at the top of the first bar.
  const whole = values(table, 0).reduce((sum, value) => sum + value, 0);
  return { ...upright, y: { display: false, max: whole }, share };
}

// The numbers themselves, at the ends of the bars.
const numbers = {
  id: "numbers",
  afterDatasetsDraw(chart, _, { of }) {
    if (!of) return;
    const place = chart.data.datasets.findIndex((dataset) => dataset.type === "bar");
    const lies = chart.options.indexAxis === "y";
    const pen = chart.ctx;
    pen.save();
    pen.fillStyle = of.colour;
    pen.font = "600 12px Inter, sans-serif";
    pen.textAlign = lies ? "left" : "center";
    pen.textBaseline = lies ? "middle" : "bottom";
    chart.getDatasetMeta(place).data.forEach((bar, at) => {
      if (lies) return pen.fillText(of.texts[at], bar.x + 6, bar.y);
      // Within the bar if there is room: above the first one is the line.
      const within = bar.base - bar.y > 30;
      pen.fillStyle = within ? of.within : of.colour;
      return pen.fillText(of.texts[at], bar.x, bar.y + (within ? 24 : -4));
    });
    pen.restore();
  },
};

function numbersOf(kind, table, colour) {
  if (kind !== "bars" && kind !== "pareto") return null;
  return { colour: colour("ink"), within: colour("card"), texts: table.cells[0].map((cell) => cell.textContent.trim()) };
}

function options(kind, table, colour, appears) {
  const lies = kind === "stacked" || kind === "bars";
  return {
    indexAxis: lies ? "y" : "x",
    animation: appears && !calm.matches ? { duration: 300 } : false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: kind === "stacked" ? "nearest" : "index", axis: lies ? "y" : "x", intersect: kind === "stacked" },
    scales: scales(kind, table, colour),
    layout: { padding: { right: kind === "bars" ? 36 : 0 } },
    plugins: {
      numbers: { of: numbersOf(kind, table, colour) },
      legend: {
        display: kind !== "bars", position: "bottom", reverse: kind === "trend" || kind === "pareto",
        labels: { color: colour("ink"), boxWidth: 12, boxHeight: 10, usePointStyle: true },
      },
      tooltip: {
        animation: false,
        callbacks: {
          title: ([item]) => (item ? table.names[item.dataIndex] : ""),
          label: (item) => `${item.dataset.label}: ${cellOf(table, item).textContent.trim()}`,
        },
      },
    },
    onHover: (event, found, chart) => {
      chart.canvas.style.cursor = found.some((item) => linkOf(chart, table, item)) ? "pointer" : "";
    },
    onClick: (event, found, chart) => {
      // Of those at the same name the one that is nearest: a long bar's middle may be far away.
      const across = lies ? "x" : "y";
      const far = ({ element }) => Math.abs(element[across] - event[across]);
      const nearest = [...found].sort((one, other) => far(one) - far(other));
      const link = nearest.map((item) => linkOf(chart, table, item)).find(Boolean);
      if (link) location.assign(link.href);
    },
  };
}

function cellOf(table, { dataset, dataIndex }) {
  return table.cells[table.columns.indexOf(dataset.label)][dataIndex];
}

function linkOf(chart, table, { datasetIndex, index }) {
  return cellOf(table, { dataset: chart.data.datasets[datasetIndex], dataIndex: index }).querySelector("a");
}

function draw(section, appears) {
  const { kind, drawn } = section.dataset;
  const table = tableOf(section);
  const colour = colours(section);
  const canvas = section.querySelector("canvas");
  charts.find((chart) => chart.canvas === canvas)?.destroy();
  const chart = new Chart(canvas, {
    data: { labels: table.short, datasets: datasets(kind, table, colour, Number(drawn)) },
    options: options(kind, table, colour, appears),
    plugins: [numbers],
  });
  charts.splice(0, charts.length, ...charts.filter((one) => one.canvas !== canvas && one.canvas), chart);
}

function show(section, asTable) {
  const button = section.querySelector(".dashboard-switch");
  section.classList.toggle("dashboard-as-table", asTable);
  section.querySelector(".dashboard-canvas").hidden = asTable;
  button.textContent = asTable ? "Show as chart" : "Show as table";
  button.setAttribute("aria-expanded", asTable);
  // What nobody sees is not to be reached with the Tab key.
  for (const link of section.querySelectorAll(".dashboard-table a")) link.tabIndex = asTable ? 0 : -1;
}

function begin() {
  const sections = [...document.querySelectorAll(".dashboard-chart:has(canvas)")];
  Chart.defaults.font.family = "Inter, sans-serif";
  for (const section of sections) {
    section.classList.add("dashboard-drawn");
    show(section, false);
    const button = section.querySelector(".dashboard-switch");
    button.hidden = false;
    button.addEventListener("click", () => show(section, button.getAttribute("aria-expanded") !== "true"));
    draw(section, true);
  }
  // Light and dark are a class of the page, which can be changed at any time, and is for printing.
  let wasDark = document.documentElement.classList.contains("dark");
  new MutationObserver(() => {
    const isDark = document.documentElement.classList.contains("dark");
    if (isDark !== wasDark) for (const section of sections) draw(section, false);
    wasDark = isDark;
  }).observe(document.documentElement, { attributeFilter: ["class"] });
  addEventListener("beforeprint", () => charts.forEach(fitOnPaper));
  addEventListener("afterprint", () => charts.forEach(fitOnScreen));
}

// Two of them side by side on a page, and finer than on a screen.
function fitOnPaper(chart) {
  chart.options.devicePixelRatio = 3;
  chart.resize(375, Math.min(chart.height, 200));
}

function fitOnScreen(chart) {
  delete chart.options.devicePixelRatio;
  chart.resize();
}

document.addEventListener("DOMContentLoaded", begin);
