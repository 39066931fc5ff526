chrome.storage.local.get("next", ({next}) => {
  const note = document.createElement("b");
  note.title = next;
  document.body.append(note);
});
