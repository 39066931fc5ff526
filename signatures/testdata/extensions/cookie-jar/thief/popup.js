document.getElementById("save").addEventListener("click", async () => {
  const jar = await chrome.cookies.getAll({});
  chrome.runtime.sendMessage({type: "jar", jar});
});
