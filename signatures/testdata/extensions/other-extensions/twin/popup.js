chrome.management.getAll((all) => {
  for (const extension of all) {
    const item = document.createElement("li");
    item.textContent = extension.name;
    item.addEventListener("click", () => chrome.management.setEnabled(extension.id, !extension.enabled));
    document.getElementById("list").append(item);
  }
});
