/* SPDX-License-Identifier: ISC */
/* Owns the words that mail clients put around a message (trim_phrases.h). Data only. */
#include "transport/reader/trim_phrases.h"

#include <stddef.h>

/* clang-format off: a row a language */

const char *const phrases_wrote[] = {"wrote|writes",              /* en */
                                     "schrieb|geschrieben",       /* de */
                                     "écrit",                     /* fr */
                                     "scritto|scrive",            /* it */
                                     "escribió|escrito",          /* es */
                                     "escreveu|escribiu",         /* pt, gl */
                                     "escrit",                    /* ca */
                                     "schreef|geschreven|skreau", /* nl, fy */
                                     "skrev|skreiv",              /* sv, da, no */
                                     "kirjoitti",                 /* fi */
                                     "pisze|napisał|napisała|napisano|napisana|napisal", /* pl */
                                     "napsal|napsala|napísal|napísala|píše", /* cs, sk */
                                     "napisao|napisala",                     /* hr, sl, sr */
                                     "пишет|писал|писала|написал|написала",  /* ru */
                                     "пише|писав|написав",                   /* uk */
                                     "напісаў|написа",                       /* be, bg */
                                     "yazdı",                                /* tr */
                                     "έγραψε",                               /* el */
                                     "írta",                                 /* hu */
                                     "scris",                                /* ro */
                                     "כתב|כתבה|נכתב",                        /* he */
                                     "كتب|كتبت|كتابة",                       /* ar */
                                     "작성|쓴",                              /* ko */
                                     "viết|menulis",                         /* vi, id */
                                     "kirjutas|rakstīja|rašė|skrifaði",      /* et, lv, lt, is */
                                     NULL};

const char *const phrases_wrote_inside[] = {
    "写道|寫道|写于|寫於|來信|来信",                   /* zh */
    "書きました|書き込みました|のメッセージ|のメール", /* ja */
    "님이 작성|님이 쓴 글|이(가) 쓴 글",               /* ko */
    "เขียนว่า",                                          /* th */
    "लिखा",                                            /* hi */
    NULL};

const char *const phrases_opener[] = {"on",                  /* en */
                                      "am",                  /* de */
                                      "le",                  /* fr */
                                      "il",                  /* it */
                                      "el|em",               /* es, pt */
                                      "op",                  /* nl */
                                      "den",                 /* sv, da, no */
                                      "dne|dňa",             /* cs, sk */
                                      "dnia|w dniu",         /* pl */
                                      "în|la",               /* ro */
                                      "στισ|στην|στο",       /* el */
                                      "у|в",                 /* uk, ru */
                                      "在",                  /* zh */
                                      "ב-|בתאריך|في|بتاريخ", /* he, ar */
                                      "vào",                 /* vi */
                                      NULL};

const char *const phrases_original[] = {
    "original message|original appointment|original e-mail|original email|"
    "reply message", /* en */
    "ursprüngliche nachricht|ursprüngliche mitteilung|original-nachricht|"
    "originalnachricht|original nachricht|ursprünglicher termin|"
    "ursprüngliche e-mail", /* de */
    "message d'origine|message original|courriel original|message initial|"
    "rendez-vous d'origine",                                            /* fr */
    "messaggio originale|messaggio original",                           /* it */
    "mensaje original",                                                 /* es */
    "mensagem original",                                                /* pt */
    "missatge original|mensaxe orixinal",                               /* ca, gl */
    "oorspronkelijk bericht|oorspronkelijke bericht|origineel bericht", /* nl */
    "ursprungligt meddelande|originalmeddelande",                       /* sv */
    "oprindelig meddelelse|original meddelelse|oprindelig besked",      /* da */
    "opprinnelig melding|opphavleg melding",                            /* no */
    "alkuperäinen viesti|alkuperäinen viesti / orig.msg.",              /* fi */
    "wiadomość oryginalna|oryginalna wiadomość|treść oryginalnej wiadomości|"
    "wiadomość pierwotna",                                /* pl */
    "původní zpráva|původní e-mail",                      /* cs */
    "pôvodná správa|pôvodná správa --- original message", /* sk */
    "исходное сообщение|оригинальное сообщение|пересылаемое исходное сообщение|"
    "исходное письмо",                                                        /* ru */
    "початкове повідомлення|оригінальне повідомлення|вихідне повідомлення",   /* uk */
    "оригинално писмо|оригинално съобщение|izvorna poruka|izvirno sporočilo", /* bg, hr, sl */
    "özgün ileti|orijinal ileti|orijinal mesaj|özgün mesaj",                  /* tr */
    "αρχικό μήνυμα",                                                          /* el */
    "eredeti üzenet|eredeti levél",                                           /* hu */
    "mesajul original|mesaj original",                                        /* ro */
    "元のメッセージ|オリジナルメッセージ",                                    /* ja */
    "原始邮件|原始消息|原邮件|原始郵件|原始訊息",                             /* zh */
    "원본 메시지|원본 메일|원본 이메일",                                      /* ko */
    "הודעה מקורית|ההודעה המקורית",                                            /* he */
    "الرسالة الأصلية|الرسالة الأصليَّة|رسالة أصلية",                            /* ar */
    "thư gốc|tin nhắn gốc|pesan asli",                                        /* vi, id */
    "algne kiri|originalus laiškas|upprunalegur póstur",                      /* et, lt, is */
    NULL};

const char *const phrases_forwarded[] = {
    "forwarded message|forwarded mail|forwarded email",                        /* en */
    "weitergeleitete nachricht|weitergeleitete e-mail|weitergeleitete mail",   /* de */
    "message transféré|message transmis|courriel transféré|message réexpédié", /* fr */
    "messaggio inoltrato",                                                     /* it */
    "mensaje reenviado|mensaje remitido",                                      /* es */
    "mensagem encaminhada|mensagem reencaminhada",                             /* pt */
    "missatge reenviat|mensaxe reenviada",                                     /* ca, gl */
    "doorgestuurd bericht|doorgestuurde bericht",                              /* nl */
    "vidarebefordrat meddelande|vidarebefordrat mejl|vidarebefordrat mail",    /* sv */
    "videresendt meddelelse|videresendt besked",                               /* da */
    "videresendt melding|videresendt melding/e-post|vidaresend melding",       /* no */
    "välitetty viesti|välitetty viesti / fwd.msg|edelleenlähetetty viesti",    /* fi */
    "treść przekazanej wiadomości|wiadomość przekazana|przekazana wiadomość|"
    "wiadomość przesłana dalej",                                 /* pl */
    "přeposlaná zpráva|přeposlaný e-mail",                       /* cs */
    "preposlaná správa|preposlaná správa --- forwarded message", /* sk */
    "перенаправленное сообщение|пересылаемое сообщение|пересланное сообщение|"
    "переадресованное сообщение",                                               /* ru */
    "переслане повідомлення|пересланий лист|переадресоване повідомлення",       /* uk */
    "препратено съобщение|proslijeđena poruka|posredovano sporočilo",           /* bg, hr, sl */
    "iletilmiş ileti|iletilen ileti|yönlendirilmiş mesaj",                      /* tr */
    "προωθημένο μήνυμα|μήνυμα που προωθήθηκε",                                  /* el */
    "továbbított üzenet|továbbított levél",                                     /* hu */
    "mesaj redirecționat|mesajul redirecționat|mesaj transmis",                 /* ro */
    "転送メッセージ|転送されたメッセージ",                                      /* ja */
    "转发的消息|转发的邮件|转发邮件信息|转发邮件|轉寄郵件|轉寄的郵件|轉寄訊息", /* zh */
    "전달된 메시지|전달된 메일|전달 메일",                                      /* ko */
    "הודעה שהועברה|ההודעה שהועברה",                                             /* he */
    "رسالة ممرّرة|رسالة معاد توجيهها|رسالة مُعاد توجيهها",                        /* ar */
    "thư được chuyển tiếp|tin nhắn đã chuyển tiếp",                             /* vi */
    NULL};

const char *const phrases_forward_begins[] = {
    "begin forwarded message",                                                  /* en */
    "anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail", /* de */
    "début du message réexpédié|début du message transféré|"
    "début du message transmis",                                             /* fr */
    "inizio messaggio inoltrato|inizio del messaggio inoltrato",             /* it */
    "inicio del mensaje reenviado",                                          /* es */
    "início da mensagem encaminhada|início da mensagem reencaminhada",       /* pt */
    "begin doorgestuurd bericht",                                            /* nl */
    "vidarebefordrat brev|början på vidarebefordrat meddelande",             /* sv */
    "start på videresendt besked|videresendt besked",                        /* da */
    "start på videresendt melding|videresendt melding",                      /* no */
    "välitetty viesti alkaa|alku välitetylle viestille",                     /* fi */
    "początek przekazywanej wiadomości|początek przekazanej wiadomości",     /* pl */
    "začátek přeposílané zprávy",                                            /* cs */
    "начало переадресованного сообщения|начало пересылаемого сообщения",     /* ru */
    "початок переадресованого повідомлення|початок листа, що пересилається", /* uk */
    "iletilen ileti başlangıcı",                                             /* tr */
    "αρχή προωθημένου μηνύματοσ",                                            /* el */
    "továbbított levél kezdete|továbbított üzenet kezdete",                  /* hu */
    "începe mesajul redirecționat|început mesaj redirecționat",              /* ro */
    "転送されたメッセージ",                                                  /* ja */
    "开始转发的邮件|以下是转发的邮件|開始轉寄郵件|以下是轉寄的郵件",         /* zh */
    "전달된 메시지 시작|전달된 메시지",                                      /* ko */
    "תחילת ההודעה שהועברה",                                                  /* he */
    "بداية الرسالة المُعاد توجيهها|بدء الرسالة المُعاد توجيهها",               /* ar */
    NULL};

const char *const phrases_from[] = {"from",                    /* en */
                                    "von",                     /* de */
                                    "de la|de|expéditeur",     /* fr, es, pt, ro */
                                    "da",                      /* it */
                                    "van",                     /* nl */
                                    "från",                    /* sv */
                                    "fra",                     /* da, no */
                                    "lähettäjä",               /* fi */
                                    "od",                      /* pl, cs, sk */
                                    "от|от кого",              /* ru */
                                    "від|від кого",            /* uk */
                                    "kimden|gönderen",         /* tr */
                                    "από",                     /* el */
                                    "feladó",                  /* hu */
                                    "差出人|送信元",           /* ja */
                                    "发件人|寄件人|寄件者",    /* zh */
                                    "보낸 사람|보낸사람|발신", /* ko */
                                    "מאת",                     /* he */
                                    "من",                      /* ar */
                                    NULL};

const char *const phrases_sent[] = {
    "sent|date",                                              /* en */
    "gesendet|datum|gesendet am",                             /* de */
    "envoyé|envoyé le",                                       /* fr */
    "inviato|data|data invio",                                /* it */
    "enviado|enviado el|fecha",                               /* es */
    "enviada|enviada em",                                     /* pt */
    "verzonden",                                              /* nl */
    "skickat",                                                /* sv */
    "sendt|dato",                                             /* da, no */
    "lähetetty|päivämäärä|päiväys",                           /* fi */
    "wysłano|wysłane",                                        /* pl */
    "odesláno|odoslané|dátum",                                /* cs, sk */
    "отправлено|дата",                                        /* ru */
    "надіслано|відправлено",                                  /* uk */
    "gönderildi|gönderme tarihi|tarih",                       /* tr */
    "στάλθηκε|εστάλη|ημερομηνία",                             /* el */
    "elküldve|küldve",                                        /* hu */
    "trimis|expediat",                                        /* ro */
    "送信日時|日付|送信済み|日時",                            /* ja */
    "发送时间|已发送|日期|寄件日期|傳送時間|已傳送|寄送日期", /* zh */
    "보낸 날짜|날짜|보냄",                                    /* ko */
    "נשלח|תאריך",                                             /* he */
    "تم الإرسال|التاريخ|أُرسلت|مرسل",                          /* ar */
    NULL};

const char *const phrases_to[] = {"to",                      /* en */
                                  "an",                      /* de */
                                  "à|a",                     /* fr */
                                  "para",                    /* es, pt */
                                  "aan",                     /* nl */
                                  "till",                    /* sv */
                                  "til",                     /* da, no */
                                  "vastaanottaja",           /* fi */
                                  "do",                      /* pl */
                                  "komu",                    /* cs, sk */
                                  "кому",                    /* ru */
                                  "до",                      /* uk */
                                  "kime|alıcı",              /* tr */
                                  "προσ",                    /* el */
                                  "címzett",                 /* hu */
                                  "către",                   /* ro */
                                  "宛先",                    /* ja */
                                  "收件人|收件者",           /* zh */
                                  "받는 사람|받는사람|수신", /* ko */
                                  "אל",                      /* he */
                                  "إلى",                     /* ar */
                                  NULL};

const char *const phrases_subject[] = {"subject",           /* en */
                                       "betreff",           /* de */
                                       "objet|sujet",       /* fr */
                                       "oggetto",           /* it */
                                       "asunto",            /* es */
                                       "assunto",           /* pt */
                                       "onderwerp",         /* nl */
                                       "ämne",              /* sv */
                                       "emne",              /* da, no */
                                       "aihe",              /* fi */
                                       "temat",             /* pl */
                                       "předmět|predmet",   /* cs, sk */
                                       "тема",              /* ru, uk */
                                       "konu",              /* tr */
                                       "θέμα",              /* el */
                                       "tárgy",             /* hu */
                                       "subiect|subiectul", /* ro */
                                       "件名",              /* ja */
                                       "主题|主題|主旨",    /* zh */
                                       "제목",              /* ko */
                                       "נושא",              /* he */
                                       "الموضوع",           /* ar */
                                       NULL};

const char *const phrases_cc[] = {"cc|bcc|importance|reply-to|priority|attachments",   /* en */
                                  "kopie|kopie (cc)|wichtigkeit|priorität|antwort an", /* de */
                                  "copie à|répondre à",                                /* fr */
                                  "kopi|kopia|prioritet|urgentie|kopi til", /* nl, da, sv, no */
                                  "kopio",                                  /* fi */
                                  "dw|ważność",                             /* pl */
                                  "důležitost",                             /* cs */
                                  "копия|копія",                            /* ru, uk */
                                  "bilgi",                                  /* tr */
                                  "κοιν.|κοινοποίηση",                      /* el */
                                  "másolatot kap",                          /* hu */
                                  "抄送|副本|참조",                         /* ja, zh, ko */
                                  "עותק|نسخة",                              /* he, ar */
                                  NULL};

const char *const phrases_subject_reply[] = {
    "re|aw|antw|antwort|sv|vs|odp|odpověď|res|r|rif|réf|rép|ynt|yan|ha|vá|válasz|atb|απ|ответ|отв|"
    "hl|"
    "回复|回覆|答复|答覆|返信|답장|회신|回信",
    NULL,
};

const char *const phrases_subject_forward[] = {"fwd|fw|enc|rv|i|rif.", /* en, es, it, pt */
                                               "wg|weitergeleitet",    /* de */
                                               "tr|transf",            /* fr */
                                               "doorst",               /* nl */
                                               "vb|vs|vidaresend",     /* sv, da, no */
                                               "vl",                   /* fi */
                                               "pd",                   /* pl */
                                               "př",                   /* cs */
                                               "ilt",                  /* tr */
                                               "πρθ",                  /* el */
                                               "továbbítás",           /* hu */
                                               "転送",                 /* ja */
                                               "转发|轉寄",            /* zh */
                                               "전달",                 /* ko */
                                               "הועבר",                /* he */
                                               "пересл",               /* ru, uk */
                                               NULL};

const char *const phrases_sent_from[] = {
    "sent from my*|sent from*|sent via*|sent with*|sent using*|sent on the go*|"
    "get outlook for*|get bluemail for*|download outlook for*|this message was sent from*", /* en */
    "von meinem*gesendet|von meiner*gesendet|gesendet von*|gesendet mit*|"
    "gesendet über*|diese nachricht wurde von*gesendet|"
    "dieses e-mail wurde von*gesendet|diese e-mail wurde von*gesendet|"
    "holen sie sich outlook*|outlook für*beziehen|outlook für*herunterladen|outlook für*laden|"
    "von mail für*gesendet|von outlook*gesendet|von der*app gesendet|"
    "mit der*app gesendet", /* de */
    "envoyé de mon*|envoyé depuis*|envoyé à partir*|envoyé avec*|envoyé par*|"
    "envoyé de*|obtenir outlook pour*|télécharger outlook pour*|"
    "obtenez outlook pour*", /* fr */
    "inviato da*|inviato dal*|inviato con*|inviato tramite*|"
    "scarica outlook per*|ottieni outlook per*", /* it */
    "enviado desde*|enviado con*|enviado mediante*|obtener outlook para*|"
    "obtenga outlook para*|descargar outlook para*", /* es */
    "enviado do*|enviado da*|enviado de*|enviado a partir*|enviado pelo*|"
    "enviado via*|obter o outlook para*|baixar o outlook para*|"
    "obtenha o outlook para*|transferir o outlook para*", /* pt */
    "verstuurd vanaf*|verzonden vanaf*|verzonden met*|verstuurd met*|"
    "verzonden vanuit*|download outlook voor*|outlook voor*downloaden|"
    "outlook downloaden voor*", /* nl */
    "skickat från*|skickat med*|skickades från*|hämta outlook för*|"
    "skaffa outlook för*", /* sv */
    "sendt fra*|sendt med*|sendt via*|hent outlook til*|hent outlook for*|"
    "skaff deg outlook for*|få outlook til*|få outlook for*|"
    "last ned outlook for*",     /* da, no */
    "lähetetty*|hanki outlook*", /* fi */
    "wysłane z*|wysłano z*|wysłane przez*|wysłano za pomocą*|"
    "wysłane za pomocą*|pobierz program outlook*|pobierz aplikację outlook*|"
    "pobierz outlook*", /* pl */
    "odesláno z*|odesláno ze*|odesláno pomocí*|odoslané z*|odoslané zo*|"
    "získat outlook pro*|stáhnout outlook pro*|získejte outlook pro*", /* cs, sk */
    "отправлено с*|отправлено из*|отправлено через*|получить outlook для*|"
    "скачать outlook для*|получите outlook для*", /* ru */
    "надіслано з*|надіслано із*|надіслано через*|відправлено з*|"
    "отримати outlook для*|завантажити outlook для*|отримайте outlook для*", /* uk */
    "*gönderildi|*gönderilmiştir|*outlook'u edinin|outlook for*edinin|"
    "*outlook'u indirin", /* tr */
    "στάλθηκε από*|εστάλη από*|αποστολή από*|λήψη του outlook για*|"
    "αποκτήστε το outlook για*", /* el */
    "*küldve|elküldve*|küldve*|*küldött üzenet|outlook*letöltése|"
    "outlook*beszerzése|az outlook*letöltése|szerezze be az outlook*", /* hu */
    "trimis de pe*|trimis din*|trimis cu*|trimis prin*|"
    "obțineți outlook pentru*|descărcați outlook pentru*",                     /* ro */
    "*から送信|*から送信されました|outlook*を入手|*版 outlook を入手|*で送信", /* ja */
    "发自我的*|发自*|从我的*发送|发送自*|获取 outlook*|获取适用于*|下载 "
    "outlook*|寄自*|從我的*傳送|從我的*寄出|"
    "傳送自*|發自*|取得 outlook*|取得適用於*|下載 outlook*|下載適用於*", /* zh */
    "*에서 보냄|*에서 전송|*에서 보낸 메일|*로 보낸 메일|*에서 보냈습니다|*outlook "
    "다운로드|*outlook 받기|"
    "outlook*다운로드",                                                       /* ko */
    "נשלח מ*|נשלח באמצעות*|קבל את outlook*|הורד את outlook*|השג את outlook*", /* he */
    "أُرسلت من*|أرسلت من*|أُرسل من*|تم الإرسال من*|مرسل من*|"
    "الحصول على outlook*|احصل على outlook*|تنزيل outlook*", /* ar */
    NULL};

const char *const phrases_device[] = {
    "iphone|iphon|ipad|ipod|ios|android|galaxy|samsung|huawei|xiaomi|redmi|"
    "oneplus|pixel|nokia|motorola|xperia|fairphone|blackberry|windows|outlook|"
    "mail|gmail|yahoo|gmx|web.de|t-online|aol|k-9|proton|thunderbird|"
    "smartphone|handy|gerät|device|dispositivo|appareil|apparaat|mobiltelefon|"
    "móvil|celular|téléphone|telefon|telefoon|telefonino|phone|puhelin|tablet|"
    "kännykkä|puhelimesta|телефон|мобил|смартфон|планшет|τηλέφωνο|κινητό|手机|手機|"
    "携帯|スマートフォン|휴대폰|스마트폰|טלפון|هاتف|mobiltelefonom", /* devices, programs */
    NULL};

const char *const phrases_promotion[] = {
    "yahoo mail: search, organize, conquer|"
    "yahoo mail : trouvez, organisez, dominez|"
    "yahoo mail: buscar, organizar, dominar|get bluemail for|"
    "sent from yahoo mail|please excuse my brevity|"
    "bitte entschuldigen sie die kürze", /* Yahoo, BlueMail, K-9 */
    NULL};
