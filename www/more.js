// Everything that a first visit does without. The build makes a second script of what only this module needs.
// @ts-check
import { embed } from "./embed.js";
import { lecture } from "./lecture.js";
import { ownData } from "./own.js";
import { poster } from "./poster.js";
import { predict } from "./predict.js";
import { share } from "./share.js";

export const parts = { embed, lecture, ownData, poster, predict, share };

/** @typedef {typeof parts} Parts */
