function hint(text) {
  const box = document.createElement("div");
  box.className = "setup-hint";
  box.textContent = text;
  document.body.append(box);
}

if (location.pathname.startsWith("/user/openapi")) {
  const observer = new MutationObserver(() => {
    const fields = document.querySelectorAll(".ant-modal .key-value");
    if (fields.length < 2) return;
    observer.disconnect();
    hint("Copy both values now: the secret, of " + fields[1].textContent.length + " letters, is shown once.");
  });
  observer.observe(document.body, {childList: true, subtree: true});
}
