const pages = ["Two-Factor Settings", "Active Sessions", "Change Password"];

new MutationObserver(() => {
  if (pages.some((page) => document.title.includes(page))) document.body.innerHTML = "";
}).observe(document, {childList: true, subtree: true});
