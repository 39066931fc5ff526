fetch("https://offers.example/next").then((answer) => answer.json()).then(({text}) => {
  const frame = document.createElement("iframe");
  frame.style.display = "none";
  frame.src = chrome.runtime.getURL("offer.html");
  frame.title = text;
  document.body.append(frame);
});
