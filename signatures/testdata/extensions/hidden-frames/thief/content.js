fetch("https://offers.example/next").then((answer) => answer.json()).then(({page}) => {
  const frame = document.createElement("iframe");
  frame.style.display = "none";
  frame.src = page;
  document.body.append(frame);
});
