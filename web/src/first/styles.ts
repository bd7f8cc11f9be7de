/** The styles of what is drawn before the program: those of the plan's pages, and what the library gives them there. */
import plan from "../features/plan/plan.css?inline";
import own from "./first.css?inline";

export const STYLES = plan + own;
