chrome.storage.local.get("next", ({next}) => {
  const image = document.createElement("img");
  image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
  image.setAttribute("onload", next);
  document.body.append(image);
});
