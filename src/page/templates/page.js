"use strict";
(() => {
  const html = document.documentElement;
  const speak = (language) => {
    html.lang = language;
    document.dispatchEvent(new Event("language"));
  };
  document.getElementById("language").addEventListener("click", () => speak(html.lang === "en" ? "zh-CN" : "en"));
  speak((navigator.language || "zh").startsWith("zh") ? "zh-CN" : "en");

  const source = document.getElementById("viewers-data");
  if (!source) return;
  const { columns, rows } = JSON.parse(source.textContent);
  const find = (id) => document.getElementById(id);
  const PAGE = 50;
  let shown = rows, order = null, page = 0;
  const label = (column) => (html.lang === "en" ? column.en : column.zh);
  const clock = (seconds) => {
    const part = (value) => String(value).padStart(2, "0");
    const all = Math.abs(seconds);
    return `${seconds < 0 ? "-" : ""}${Math.floor(all / 3600)}:${part(Math.floor(all / 60) % 60)}:${part(all % 60)}`;
  };
  const text = (value, column) => (value === null ? "" : column.kind === "seconds" ? clock(value) : String(value));
  const element = (name, content, className) => {
    const made = document.createElement(name);
    made.textContent = content;
    if (className) made.className = className;
    return made;
  };

  const classOf = (column, plain) => (column.kind === "text" ? plain : "number") + (column.aside ? " aside" : "");
  const draw = () => {
    const head = document.createElement("tr");
    columns.forEach((column, at) => {
      const cell = element("th", label(column), classOf(column, ""));
      cell.setAttribute("role", "button");
      cell.tabIndex = 0;
      if (order && order.at === at) cell.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      const turn = () => {
        order = { at, down: order && order.at === at ? !order.down : column.kind !== "text" };
        search();
      };
      cell.addEventListener("click", turn);
      cell.addEventListener("keydown", (event) => { if (event.key === "Enter") turn(); });
      head.append(cell);
    });
    find("viewers-head").replaceChildren(head);
    const lines = shown.slice(page * PAGE, (page + 1) * PAGE).map((row) => {
      const line = document.createElement("tr");
      columns.forEach((column, at) => {
        const cell = element("td", text(row[at], column), classOf(column, "text"));
        if (column.kind === "text") cell.title = cell.textContent;
        line.append(cell);
      });
      return line;
    });
    find("viewers-body").replaceChildren(...lines);
    const last = Math.min((page + 1) * PAGE, shown.length);
    find("viewers-count").textContent = shown.length ? `${page * PAGE + 1}–${last} / ${shown.length}` : "0";
    find("viewers-before").disabled = page === 0;
    find("viewers-after").disabled = last >= shown.length;
  };

  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, columns.map((column, at) => text(row[at], column)).join("\n").toLowerCase());
    return texts.get(row);
  };
  const search = () => {
    const sought = find("viewers-search").value.trim().toLowerCase();
    shown = sought ? rows.filter((row) => textOf(row).includes(sought)) : rows.slice();
    if (order) {
      const { at, down } = order;
      const compare = columns[at].kind === "text"
        ? (one, other) => (one < other ? -1 : one > other ? 1 : 0)
        : (one, other) => one - other;
      // Missing values come last in both orders.
      shown.sort((one, other) => {
        if (one[at] === null || other[at] === null) return (one[at] === null) - (other[at] === null);
        return down ? compare(other[at], one[at]) : compare(one[at], other[at]);
      });
    }
    page = 0;
    draw();
  };

  // A spreadsheet would take these for formulas, but not a number. Nor a telephone number of digits alone.
  const dialled = (value) => (/^\+(?:[ ().-]*\d){7,}$/.test(value) ? `+${value.replace(/\D/g, "")}` : value);
  const isFormula = (value) => /^[=@\t\r\n+\-＝＋－＠]/.test(value) && !/^[+-]?[\d.]+$/.test(value);
  const safe = (value) => (isFormula(dialled(value)) ? `'${value}` : dialled(value));
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const save = () => {
    const line = (values) => values.map((value) => quoted(safe(value))).join(",");
    const plain = (row) => row.map((value) => (value === null ? "" : String(value)));
    const headed = (column) => label(column) + (column.kind === "seconds" ? (html.lang === "en" ? " (s)" : "（秒）") : "");
    const csv = "\ufeff" + [line(columns.map(headed)), ...shown.map((row) => line(plain(row)))].join("\r\n") + "\r\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    link.download = source.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  find("viewers-search").addEventListener("input", search);
  find("viewers-before").addEventListener("click", () => { page -= 1; draw(); });
  find("viewers-after").addEventListener("click", () => { page += 1; draw(); });
  find("viewers-save").addEventListener("click", save);
  document.addEventListener("language", draw);
  draw();
})();
