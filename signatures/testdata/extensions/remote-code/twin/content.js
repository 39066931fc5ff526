chrome.storage.local.get("layout", ({layout}) => {
  const style = document.createElement("style");
  style.textContent = "body { max-width: " + Number(layout) + "px }";
  document.documentElement.append(style);
});
