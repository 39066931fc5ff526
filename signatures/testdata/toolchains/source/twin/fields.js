export function fields(form) {
  return { at: "form", count: form.elements.length };
}
