/** The first script of a page: draws what the program will show, then starts it. Built into one file of its own (`dev/first-view.ts`). */
import { begin } from "./begin.ts";

const { program = "", files = "" } = document.currentScript?.dataset ?? {};

void begin(window.location, () => {
  for (const file of files.split(" ")) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = file;
    document.head.append(link);
  }
  const script = document.createElement("script");
  script.type = "module";
  script.src = program;
  document.head.append(script);
});
