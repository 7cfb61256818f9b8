/** Changes when apt is brought up to date. */
export const aptLists = '/var/lib/apt/lists'
