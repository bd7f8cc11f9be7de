/** Hands a person a file that the server sends with its name. */
export function download(path: string) {
  const link = document.createElement("a");
  link.href = path;
  link.download = "";
  link.click();
}
