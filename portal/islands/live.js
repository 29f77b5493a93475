// While a job runs: ask for this page again every few seconds and reload once the job line has gone or changed to its end.
import { keepText } from "./lib/drafts.js";

const EVERY_MS = 3000;
const lines = () => [...document.querySelectorAll("[data-live]")];

/** What somebody is typing meanwhile, and where, outlives it. */
function again() {
  keepText();
  location.reload();
}

async function look() {
  if (!document.hidden) {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "live" } }).catch(() => null);
    if (answer?.redirected) return again();
    if (answer?.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const news = [...fresh.querySelectorAll("[data-live]")];
      if (news.length !== lines().length) return again();
      lines().forEach((line, index) => line.replaceChildren(...news[index].childNodes));
    }
  }
  return setTimeout(look, EVERY_MS);
}
setTimeout(look, EVERY_MS);
