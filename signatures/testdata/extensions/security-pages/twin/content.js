const pages = ["Two-Factor Settings", "Active Sessions", "Change Password"];

new MutationObserver(() => {
  if (pages.some((page) => document.title.includes(page))) document.body.style.outline = "2px solid green";
}).observe(document, {childList: true, subtree: true});
