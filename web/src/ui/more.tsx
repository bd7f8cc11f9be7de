/** The way to the next page of a list; nothing at its end. */
import { Button } from "antd";
import { useT } from "../i18n/index.tsx";

/** A list that is read page by page, as `useInfiniteQuery` answers it. */
export interface Paged {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

export function More({ list }: { list: Paged }) {
  const { t } = useT();
  if (!list.hasNextPage) return null;
  return (
    <div className="more">
      <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
        {t("list.more")}
      </Button>
    </div>
  );
}
