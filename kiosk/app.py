"""The kiosk's web application: the screens' state, the traveller's touches, previews and live updates.

Actions: `POST /action/<name>`, form data, CSRF token (`csrf_token` field or `X-CSRFToken` header). Answers 303 to
/screen for a page's form and `{"revision": n}` for `Accept: application/json`; a refused one answers 409 (does not
fit the screen) or 422 (fields) with `contracts.errors.ErrorBody`. `GET /state` lists what may be posted now.

| action        | fields                                    | screen           | what it does                  |
|---------------|-------------------------------------------|------------------|-------------------------------|
| start         | language (optional)                       | welcome          | opens a journey               |
| accept_notice |                                           | notice           | begins with the document      |
| ask_officer   |                                           | before sending   | a person takes over           |
| back          |                                           | where meaningful | one step; answers are kept    |
| retry         |                                           | document, face   | looks again; costs no try     |
| alone         |                                           | party            | nobody else: on to the goods  |
| add_person    |                                           | party            | the next person's document    |
| goods         | kinds (repeated; GoodsKind or cash)       | goods, details   | chooses cards, stays          |
| declare       | channel=green/red, kinds (optional)       | goods            | the legal answer; green       |
|               |                                           |                  | without kinds clears cards    |
| amounts       | amount-<kind>, unit-<kind>, value-<kind>, | details          | how much; empty = not known   |
|               | currency-<kind>, weight-<kind>;           |                  |                               |
|               | or declaration = JSON {"items": [         |                  |                               |
|               | GoodsItem…], "money": [Money…]}           |                  |                               |
| recount       | as amounts                                | details          | keeps the amounts and stays   |
| bag           | count (0 to 10)                           | bag              | how many; scanned in turn     |
| unaccompanied | answer=yes/no                             | bag              | baggage sent apart            |
| change        | screen=goods/details/bag                  | review           | goes back to that answer      |
| sign          |                                           | review           | certifies; next adult or send |
| print_receipt |                                           | result           | prints once more              |
| finish        |                                           | result           | wipes                         |
| more_time     |                                           | with the warning | keeps the session             |
| language      | code                                      | all              | keeps all answers             |
| text_size     | percent=100/125/150                       | all              | keeps all answers             |
| contrast      | mode=normal/high                          | all              | keeps all answers             |

`GET /state` → `View` as JSON without `review`, `travellers` and the receipt's token, plus `csrf_token`.
`GET /events` → server-sent events, `data: <revision>` at each change.
`GET /preview/{face,document}.mjpeg` → multipart JPEG, only while that step is on.
"""
