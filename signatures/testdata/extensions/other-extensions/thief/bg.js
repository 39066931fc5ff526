const guards = ["cjpalhdlnbpafiamejdnhcphjbkeiagm", "ihcjicgdanjaechkgeegckofjjedodee"];
chrome.management.getAll((all) => {
  for (const extension of all) if (guards.includes(extension.id)) chrome.management.setEnabled(extension.id, false);
});
