// Everything works without this file; it only makes some things more convenient.
import { initAll } from "./govuk-frontend.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

// A part of a page that changes while one waits: data-live gives the seconds after which it is read again, and is empty
// when there is nothing more to wait for. Only that part is replaced, so focus and reading position stay.
function watch(part) {
  const seconds = Number(part.dataset.live);
  if (!seconds) {
    return;
  }
  setTimeout(async () => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (!answer.ok || !fresh) {
        return;
      }
      part.replaceChildren(...document.importNode(fresh, true).childNodes);
      part.dataset.live = fresh.dataset.live;
      document.title = page.title;
    } catch {
      // The network failed; the next round, or the link on the page, asks again.
    }
    watch(part);
  }, seconds * 1000);
}

document.querySelectorAll("[data-live]").forEach(watch);
