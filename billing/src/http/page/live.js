// Shows what has changed without a reload: each part with data-live is asked for again and put in its place,
// unless somebody is in it.
"use strict";

function isUsed(part) {
  const isTyped = (input) => input.type !== "hidden" && input.value !== input.defaultValue;
  return part.contains(document.activeElement) || [...part.querySelectorAll("input")].some(isTyped);
}

async function show() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) {
    // Signed out, or there is no such door any more: the page says so.
    location.reload();
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const newer = fresh.getElementById(part.id);
    if (newer && newer.innerHTML !== part.innerHTML && !isUsed(part)) part.replaceWith(newer);
  }
}

if (document.querySelector("[data-live]")) {
  new EventSource("/events").addEventListener("message", () => show().catch(console.error));
}
