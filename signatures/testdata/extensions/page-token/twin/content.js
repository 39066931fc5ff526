const keys = ["theme", "language"];
for (const key of keys) {
  const value = localStorage.getItem(key);
  if (value) document.documentElement.setAttribute("data-" + key, value);
}
