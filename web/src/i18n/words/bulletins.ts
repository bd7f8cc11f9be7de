/** Words of the bulletins page. */
export const bulletinWords = {
  "nav.bulletins": ["简报", "Bulletins"],
  "bulletin.none": ["还没有简报", "No bulletins yet"],
  "bulletin.none-mend": ["专题包在 bulletins/ 中声明它们", "Packs declare them in bulletins/"],
  "bulletin.choose": ["选择简报", "Choose a bulletin"],
  "bulletin.at": ["截至", "As of"],
  "bulletin.of-what": ["只含您有权查看的内容", "It tells what you may see"],
  "bulletin.from": ["由专题包 {pack} 声明", "Declared by {pack}"],
  "bulletin.empty": ["这份简报没有内容", "This bulletin says nothing"],
  "bulletin.no-rows": ["没有数据", "No rows"],
  "bulletin.refresh": ["重新生成", "Bring up to date"],
  "bulletin.print": ["打印", "Print"],
  "bulletin.pdf": ["下载 PDF", "Download as PDF"],
  "bulletin.docx": ["下载 Word", "Download for Word"],
} as const satisfies Record<string, readonly [zh: string, en: string]>;
