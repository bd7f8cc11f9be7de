/** Markdown becomes elements; raw HTML and foreign schemes stay text. */
import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Markdown } from "./markdown.tsx";

const html = (text: string) => render(<Markdown text={text} />).container.innerHTML;

describe("Markdown", () => {
  it("draws a runbook: heading, paragraph, ordered steps with what is stressed", () => {
    expect(
      html(
        "# 水位达到警戒水位\n\n依据：**防洪法**。\n\n1. **核实**（5 分钟内）：看过程线\n2. 报告 `28.30 m`\n",
      ),
    ).toBe(
      '<div class="markdown"><h4>水位达到警戒水位</h4><p>依据：<strong>防洪法</strong>。</p>' +
        '<ol start="1"><li><strong>核实</strong>（5 分钟内）：看过程线</li><li>报告 <code>28.30 m</code></li></ol></div>',
    );
  });

  it("shows raw HTML as text", () => {
    const drawn = render(
      <Markdown text={'<script>alert(1)</script>\n\na <img src=x onerror="alert(1)"> b'} />,
    );
    expect(drawn.container.querySelector("script, img")).toBeNull();
    expect(drawn.container.textContent).toContain("<script>alert(1)</script>");
    expect(drawn.container.textContent).toContain('<img src=x onerror="alert(1)">');
  });

  it("links to pages, mail and telephones only", () => {
    const drawn = render(
      <Markdown text="[a](javascript:alert(1)) [b](https://example.org) [c](/cases/1) [d](tel:119) [e](//x.y)" />,
    );
    const links = [...drawn.container.querySelectorAll("a")].map((a) => a.getAttribute("href"));
    expect(links).toEqual(["https://example.org", "/cases/1", "tel:119"]);
    expect(drawn.container.querySelector("a")?.getAttribute("rel")).toBe("noreferrer");
  });

  it("shows pictures by their words, so that nothing is fetched from elsewhere", () => {
    const drawn = render(<Markdown text="![a map](https://example.org/x.png)" />);
    expect(drawn.container.querySelector("img")).toBeNull();
    expect(drawn.container.textContent).toBe("a map");
  });

  it("draws tables, quotes, nested lists and code", () => {
    const drawn = render(
      <Markdown text={"| a | b |\n|---|---|\n| 1 | 2 |\n\n> q\n\n- x\n  - y\n\n```\nSELECT 1 < 2\n```"} />,
    );
    expect(drawn.container.querySelectorAll("td")).toHaveLength(2);
    expect(drawn.container.querySelector("blockquote")?.textContent).toBe("q");
    expect(drawn.container.querySelector("li li")?.textContent).toBe("y");
    expect(drawn.container.querySelector("pre")?.textContent).toBe("SELECT 1 < 2");
  });
});
