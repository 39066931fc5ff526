document.addEventListener("focusin", () => {
  const field = document.querySelector("input[autocomplete=one-time-code]");
  if (field) chrome.storage.session.get("code", ({code}) => { field.value = code || ""; });
});
