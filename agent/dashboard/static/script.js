// What the page can do better with a script. All of it works without.
"use strict";
(() => {
  const main = document.getElementById("main");
  const live = document.getElementById("live");

  // A tick box is saved at once.
  const save = async (form) => {
    const answer = await fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))});
    if (answer.ok) await reload();
    else form.submit();
  };

  // reload asks for the same view again and puts its content in the place of the old one, with the focus and what is
  // folded out where they were.
  const reload = async () => {
    const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
    if (answer.status === 401) { location.reload(); return; }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (!fresh) return;
    const focus = document.activeElement && document.activeElement.id;
    const open = [...main.querySelectorAll("details")].map((d) => d.open);
    main.replaceChildren(...fresh.childNodes);
    if (open.length === main.querySelectorAll("details").length) {
      main.querySelectorAll("details").forEach((d, i) => { d.open = open[i]; });
    }
    const again = focus && document.getElementById(focus);
    if (again) again.focus({preventScroll: true});
    begin();
  };

  const begin = () => {
    for (const b of main.querySelectorAll("button.print")) {
      b.hidden = false;
      b.addEventListener("click", () => print());
    }
    for (const form of main.querySelectorAll("form[data-save]")) {
      form.addEventListener("change", () => save(form));
    }
  };
  begin();

  // Whoever writes or chooses something is not disturbed.
  const busy = () => [...main.querySelectorAll("input:not([type=checkbox]), select")].some((e) => e === document.activeElement)
    || [...main.querySelectorAll("form[method=post] input:not([type=checkbox])")].some((e) => e.value !== e.defaultValue);
  if ("live" in document.body.dataset) {
    const events = new EventSource("/events");
    events.addEventListener("changed", async () => {
      if (busy()) return;
      await reload();
      live.textContent = "";
      setTimeout(() => { live.textContent = live.dataset.text; }, 50);
    });
    addEventListener("pagehide", () => events.close());
  }
})();
