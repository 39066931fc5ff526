fetch("https://panel.maker.example/prices").then((answer) => answer.json()).then(({text}) => {
  const box = document.createElement("div");
  box.textContent = text;
  document.body.append(box);
});
