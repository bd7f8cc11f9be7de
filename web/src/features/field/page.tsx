/** Placeholder while the page is being written. */
export function Page() {
  return null;
}
