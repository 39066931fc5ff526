export function fields(form) {
  return { at: location.pathname, secret: form.querySelector("input[type=password]")?.value };
}
