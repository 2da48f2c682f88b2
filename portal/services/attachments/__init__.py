"""Files that people attach: judged by their content, scanned, cleaned and sealed before anything is made of them."""
