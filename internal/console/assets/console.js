// Keys, and what has come since the page was made. Every page works without it.
const rows = () => [...document.querySelectorAll("table.rows tbody tr")];
let at = -1;

function move(step) {
  const all = rows();
  if (!all.length) return;
  all[at]?.classList.remove("at");
  at = Math.min(Math.max(at + step, 0), all.length - 1);
  all[at].classList.add("at");
  all[at].scrollIntoView({ block: "nearest" });
}

let before = "";
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
    if (e.key === "Escape") e.target.blur();
    return;
  }
  const go = before === "g" ? { o: "/", e: "/events", r: "/refused", d: "/deadletters" }[e.key] : undefined;
  before = e.key;
  if (go) location.assign(go);
  else if (e.key === "/") { e.preventDefault(); document.getElementById("find").focus(); }
  else if (e.key === "j") move(1);
  else if (e.key === "k") move(-1);
  else if (e.key === "Enter" && at >= 0) rows()[at].querySelector("a")?.click();
});

const live = document.querySelector("[data-live]");
if (live) {
  const link = live.querySelector("a");
  link.href = location.href;
  const source = new EventSource(live.dataset.live);
  source.onmessage = (e) => {
    const n = Number(e.data);
    live.hidden = n === 0;
    link.textContent = n === 1 ? "1 new event" : `${n} new events`;
  };
  addEventListener("pagehide", () => source.close());
}
