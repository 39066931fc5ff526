window.addEventListener("load", () => {
  const provider = window.solana;
  if (!provider) return;
  provider.on("accountChanged", (key) => {
    document.documentElement.dataset.account = key ? "connected" : "none";
  });
});
