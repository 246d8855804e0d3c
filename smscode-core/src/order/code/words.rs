//! The table of words. Written with accents where a language has them: [`super::fold`] folds table and text alike.
//!
//! `word` is a whole word, `word*` a beginning, `*word` an ending, `~word` is found anywhere inside a run of letters
//! (for scripts written without spaces, and Hangul), `two_words` is a term of two words.

use super::lexicon::Class::{self, Act, Call, Code, Contact, Link, Money, Month, Old, Otp, Promo, Ref, Tail, Unit};

/// Each class with its words, one row per group of languages.
pub(super) const WORDS: &[(Class, &str)] = &[
    // One-time codes by name.
    (
        Otp,
        "otp otps otp* passcode* onetimepassword mtan mtans tac totp smscode verificationcode authcode",
    ),
    (
        Otp,
        "*tigungscode sicherheitscode* anmeldecode* einmalcode* einmalpasswort* einmalkennwort*",
    ),
    (Otp, "freigabecode* *verifikatiounscode"),
    (
        Otp,
        "verificatiecode* inlogcode* bevestigingscode* beveiligingscode* toegangscode* verifikasiekode*",
    ),
    (
        Otp,
        "verifieringskod* engångskod* säkerhetskod* bekräftelsekod* inloggningskod* engångslösen*",
    ),
    (Otp, "bekreftelseskode* engangskode*"),
    (
        Otp,
        "engangspassord* engangsadgangskode* bekræftelseskode* sikkerhedskode* vahvistuskood*",
    ),
    (Otp, "kertakäyttökood* staðfestingarkóð*"),
    (
        Otp,
        "kinnituskood* konfirmkod* код_подтверждения код_підтвердження hasło_sms kod_sms code_sms",
    ),
    (Otp, "codice_sms código_sms sms_code sms_kod"),
    (
        Otp,
        "sms_kód ~动态码 ~动态密码 ~动态口令 ~验证码 ~校验码 ~确认码 ~激活码 ~短信密码 ~短信码 ~一次性密码 ~登录码 ~認證碼 ~驗證碼 ~登入碼 ~一次性密碼 ~確認碼",
    ),
    (Otp, "~啟動碼 ~登入密碼"),
    (
        Otp,
        "~認証コード ~認証番号 ~確認コード ~確認番号 ~セキュリティコード ~ワンタイムパスワード ~ログインコード ~パスコード ~暗証番号 ~検証コード ~認証キー",
    ),
    (
        Otp,
        "~인증번호 ~인증코드 ~확인코드 ~보안코드 ~로그인코드 ~일회용비밀번호 ~인증키 ~확인번호 ~รหัสยืนยัน ~รหัสผ่านชั่วคราว",
    ),
    (Otp, "~รหัสผ่านครั้งเดียว ~โอทีพี ~ລະຫັດຢືນຢັນ ~លេខកូដផ្ទៀងផ្ទាត់ ~កូដផ្ទៀងផ្ទាត់ ~အတည်ပြုကုဒ်"),
    (Otp, "ओटीपी* ওটিপি* ఓటీపీ* ಒಟಿಪಿ* ഒടിപി* ઓટીપી* ਓਟੀਪੀ* ஓடிபி* ଓଟିପି* ඕටීපී*"),
    // Codes and passwords of any use.
    (Code, "code codes passcode pin pins password passwords tan token pwd"),
    (
        Code,
        "passwort* kennwort* kode kodes kennzahl *kode *code wachtwoord* mot_de passe",
    ),
    (
        Code,
        "código* codigo* clave* contraseña* nip senha* codi codice codici parola* parolă* cod codul*",
    ),
    (Code, "codului"),
    (
        Code,
        "kod kodu koden kods koodi* kood koodu* koodh* tunnusluku* tunnusluvu* salasana* lösenord* passord*",
    ),
    (Code, "adgangskode* aðgangskóð*"),
    (
        Code,
        "kóðinn* kóðann* kóð* kodas kodą kodai slaptažod* parole parool* kodea* kodeu kodenya kodemu",
    ),
    (Code, "kodenya* sandi katalaluan kod* chód cód cod*"),
    (
        Code,
        "hasło* hasla* kód* kódem heslo* kódja* jelszó* jelszav* lozink* zapork* šifra* geslo* koda kodo",
    ),
    (Code, "kodi* şifre* sifre* parol* açar*"),
    (
        Code,
        "kaody koodka msimbo* nenosiri* ikhodi* ikhowud* khodi fjalëkalim* kòd kodiċi*",
    ),
    (
        Code,
        "код кода коду кодом коде коды кодов кодын кодын* код* пароль* паролем пароля лозинк* шифр*",
    ),
    (Code, "құпиясөз* рамз* сырсөз* нууц_код"),
    (Code, "κωδικ* κωδ* συνθηματικ* კოდ* პაროლ* կոդ* գաղտնաբառ* ծածկագիր*"),
    (
        Code,
        "رمز الرمز رمزک رمزك برمز بالرمز والرمز رمزكم كود الكود كودك بكود کد کدی کد* گذرواژه رمز_عبور کوڈ*",
    ),
    (Code, "کوډ* ڪوڊ* کۆد* پاس_ورڈ پاسورڈ*"),
    (
        Code,
        "کلمه_المرور كلمة_المرور كلمة_السر رقم_التحقق رقم_التفعيل پن_کوڈ پن קוד הקוד בקוד לקוד קודך סיסמה",
    ),
    (Code, "הסיסמה סיסמת סיסמא קאוד* ކޯޑ*"),
    (
        Code,
        "कोड* पासवर्ड* पिन কোড* পাসওয়ার্ড* পিন குறியீ* குறியீட* கடவுச்சொல்* கோட்* కోడ్* పాస్‌వర్డ్* ಕೋಡ್*",
    ),
    (Code, "ಪಾಸ್‌ವರ್ಡ್* കോഡ്* പാസ്‌വേഡ്*"),
    (Code, "કોડ* પાસવર્ડ* ਕੋਡ* ਪਾਸਵਰਡ* କୋଡ* ପାସୱାର୍ଡ* කේත* මුරපද* ኮድ* የይለፍ"),
    (
        Code,
        "~รหัส ~ลรหัส ~ລະຫັດ ~លេខកូដ ~កូដ ~លេខសម្ងាត់ ~ကုဒ် ~စကားဝှက် ~密码 ~口令 ~密碼 ~代码 ~代碼 ~コード ~パスワード ~暗号",
    ),
    (Code, "~코드 ~비밀번호 ~암호 ~编码 ~識別碼 ~识别码 ~此码 ~此碼"),
    (
        Code,
        "mã_xác mã_otp mã_đăng mã_kích mã_bảo mã_pin mã_code mã_này mã_của mã_là mã_vào mật_khẩu nhập_mã",
    ),
    (Code, "lambar_tabbatarwa nambari_yako"),
    (Code, "~ཨང་གྲངས ~ཨང་རྟགས ~གསང་ཨང"),
    // What a code is for, and what is done with it.
    (
        Act,
        "verify* verifi* verification* authenticat* confirm* enter entering type types use using used login",
    ),
    (Act, "log logging logon sign signing"),
    (
        Act,
        "signup signin activat* approve* authori* unlock* validate* register* registration access secure",
    ),
    (Act, "security temporary pairing pair"),
    (Act, "finish complete* continue prompted proceed prove* identity quote"),
    (
        Act,
        "expires expire valid invite share reset link bestätig* anmeld* einlogg* eingeb* gib geben verwend*",
    ),
    (
        Act,
        "zugang* registrier* gültig freischalt* niemandem einmalig* überweisung*",
    ),
    (
        Act,
        "vérifi* valid* saisi* tapez entrez connexion* connecter identifi* inscri* confirmer sécurité usage",
    ),
    (Act, "utilisez communiquez* accès"),
    (
        Act,
        "introdu* ingres* usa usar utiliza* acces* iniciar sesión entrar compart* segur* activa* autoriza*",
    ),
    (Act, "digit* caduca valida* dinámica"),
    (
        Act,
        "insira informe digite confirma* acesso* válido autentica* telemóvel inserisci accedere accesso",
    ),
    (Act, "verifica* conferma* scade"),
    (
        Act,
        "vul gebruik* inloggen bevestig* voer deel ange logga bekräfta* inloggning* verifier* innlogging*",
    ),
    (Act, "bekreft* logge* bruk* brug*"),
    (
        Act,
        "indtast* godkend* kirjaudu* vahvist* syötä kertakäyt* voimassa logowan* zaloguj* wpisz potwierd*",
    ),
    (Act, "podaj* weryfik* autoryz* użyj"),
    (
        Act,
        "ověř* overov* overen* přihláš* prihlás* zadejte zadajte potvr* opište platí belép* bejelentk*",
    ),
    (Act, "megerősít* igazol* hitelesít*"),
    (
        Act,
        "jóváhagy* írja introduce* introduceți autentific* conect* unesi* prijav* potvrd* verifik* vnesite",
    ),
    (Act, "veljav* jednokrat* enokrat*"),
    (
        Act,
        "kinnit* sisselog* sisesta* apstiprin* ievad* pieslēg* patvirt* prisijung* įvesk* naudok* staðfest*",
    ),
    (Act, "innskrán* innskrá skrá"),
    (
        Act,
        "egiazta* sartze* doğrula* onay* giriş* girişi girin giriniz girebilir* yazın* kullanımlık",
    ),
    (Act, "kullanımlik paylaş* paylas* təsdiq* daxil birdəfə*"),
    (
        Act,
        "tasdiq* kirish* kirit* tassykla* verifikasi* konfirmasi* masuk* masukkan gunakan berlaku aktivasi",
    ),
    (Act, "otorisasi rahasia pengesahan masukan kasih berikan bagikan sah"),
    (
        Act,
        "dedahkan gamitin ilagay kumpirma* huwag ibahagi tumia uthibitish* kuthibitish* kuingia thibitish*",
    ),
    (Act, "yokuqinisekisa tabbatar* xaqiiji*"),
    (
        Act,
        "kwemeza fanamarin* nkwenye ijerisi verifikasyon dilysu fíor* mewngofnod* konfirm* identifik*",
    ),
    (Act, "verific* sessió eenmalige"),
    (
        Act,
        "подтвер* підтвер* пацвярдж* потврд* потвърж* введ* ввод* введя введіть увядзі* вход* входа входу",
    ),
    (Act, "уваход* войти вхід* ўваход*"),
    (
        Act,
        "регистр* реєстр* никому нікому сообща* однораз* аднараз* использ* використ* наберите авториз*",
    ),
    (Act, "провер* въведете внесе* влез* верифик* доступ* логин* споделя*"),
    (
        Act,
        "унесите активац* растау* раста* кіру* енгіз* тіркел* тасдик* тасдиқ* ырасто* баталгаа* нэвтр*",
    ),
    (Act, "кириш* бір_реттік"),
    (
        Act,
        "επαληθ* επιβεβ* σύνδεσ* συνδεθ* χρήσης χρησιμοποι* εισαγ* εισόδου πληκτρολ* დამადასტ* დადასტ*",
    ),
    (Act, "შესვლ* შესასვლ* შეიყვან* გამოიყენ*"),
    (
        Act,
        "ერთჯერად* հաստատ* մուտք* մեկանգամյա օգտագործ* ማረጋገጫ* የማረጋገጫ* መረጋገጺ* ለመግባት* ያስገቡ* ይጠቀሙ*",
    ),
    (
        Act,
        "التحقق تحقق للتحقق تأكيد التأكيد لتأكيد الدخول دخول للدخول لتسجيل التسجيل تسجيل تفعيل التفعيل",
    ),
    (Act, "لتفعيل أدخل ادخل استخدم استعمل"),
    (
        Act,
        "المؤقت لمرة تشاركه صالح المرور تایید تأیید ورود وارد فعالسازی فعال‌سازی یکبار یک‌بار مصرف پویا",
    ),
    (Act, "عبور موقت تصدیق* تصدیقی درج لاگ دڵنیا* تصديقي"),
    (
        Act,
        "אימות האימות לאימות כניסה לכניסה הכניסה להתחבר התחברות הקלידו הקלד הזינו הזן אישור לאישור פעמי",
    ),
    (Act, "פעמית זמני בתוקף"),
    (
        Act,
        "सत्यापन* लॉगिन* लॉग पुष्टि* दर्ज_करें डालें साझा प्रमाणीकरण* पडताळणी* वन_टाइम लगइन* प्रयोग যাচাই*",
    ),
    (Act, "লগইন* লিখুন সত্যাপন*"),
    (
        Act,
        "சரிபார்ப்* உள்நுழை* உள்ளிட* ஒருமுறை ధృవీ* లాగిన్* వన్_టైమ్ ಪರಿಶೀಲನ* ಲಾಗಿನ್* സ്ഥിരീകരണ* ലോഗിൻ*",
    ),
    (Act, "നൽകുക ચકાસણી* લૉગિન* ਤਸਦੀਕ* ਲੌਗਇਨ*"),
    (
        Act,
        "ਦਰਜ ଯାଞ୍ଚ* සත්‍යාපන* පිවිස* ඇතුළත් ~ยืนยัน ~เข้าสู่ระบบ ~กรอก ~ใช้ ~ลงทะเบียน ~ชั่วคราว ~ຢືນຢັນ",
    ),
    (Act, "~ເຂົ້າ ~ໃສ່ ~ផ្ទៀងផ្ទាត់ ~ចូល ~បញ្ចូល ~အတည်ပြု ~ဝင်ရောက် ~ထည့်"),
    (
        Act,
        "~验证 ~登录 ~注册 ~输入 ~确认 ~激活 ~校验 ~泄露 ~有效 ~动态 ~驗證 ~登入 ~註冊 ~輸入 ~確認 ~啟用 ~認證 ~一次性",
    ),
    (
        Act,
        "~認証 ~ログイン ~入力 ~有効 ~ワンタイム ~인증 ~로그인 ~입력 ~본인확인 ~확인 ~일회용 ~유효 xác_thực xác_nhận xác_minh đăng_nhập",
    ),
    (Act, "đăng_ký kích_hoạt nhập hiệu_lực"),
    (Act, "~ར་སྤྲོད one_time"),
    // Without meaning between a word and its number.
    (
        Link,
        "is was are be the this following as of for your a an number no nr here it",
    ),
    (
        Link,
        "ist lautet der die das ihr dein dieser lauten est le la votre ce de du es el tu su este o seu é e",
    ),
    (Link, "il tuo lo di ed als"),
    (
        Link,
        "är din er on jest to je vaš glasi az ay ang ni ialah adalah yaitu ini yaiku nyaéta na kay se",
    ),
    (Link, "nimero huwa ass estas"),
    (
        Link,
        "это есть є це ваш вот је е είναι այն է હશે هو هي هى است شما ہے הוא है हूँ হল হলো 是 ነው",
    ),
    (
        Link,
        "~是 ~为 ~為 ~は ~が ~を ~の ~은 ~는 ~을 ~를 ~係 ~คือ ~ของ ~ແມ່ນ ~គឺ ~မှာ ~ནི ~နံပါတ် ~เลข ~号码 ~號碼 ~番号 ~번호",
    ),
    // Turn "code" beside them into something else.
    (
        Promo,
        "zipcode* qrcode* promo promotion* promotional promocode* discount* coupon* voucher* gift referral* zip postal",
    ),
    (Promo, "postcode* barcode* qr country dress"),
    (
        Promo,
        "post pocztow* poštov* pošt* pos почтов* поштов* пощенск* товара ταχυδρομικ* ~邮编 ~邮政编码 ~郵遞區號 ~郵便番号",
    ),
    (Promo, "~우편번호"),
    (
        Promo,
        "gutschein* rabatt* aktionscode* postleitzahl réduction remise promotionnel* avantage descuento*",
    ),
    (Promo, "promocional* cupón* desconto*"),
    (
        Promo,
        "cupom* sconto* promozional* kortingscode* rabattkod* rabatkode* alennuskood* rabatow* slevov*",
    ),
    (Promo, "zľavov* kedvezmény* kupon* reducere* indirim* endirim* çekiliş*"),
    (
        Promo,
        "hadiah undian diskon* potongan промокод* скидк* купон* знижк* промо отстъпк* попуст* έκπτωσ*",
    ),
    (Promo, "εκπτωτ* კუპონ* خصم الخصم تخفیف ڈسکاؤنٹ הנחה קופון कूपन* छूट कूपन"),
    (
        Promo,
        "~优惠码 ~优惠券 ~折扣码 ~兑换码 ~邀请码 ~二维码 ~優惠碼 ~優惠券 ~折扣碼 ~二維碼 ~クーポン ~割引 ~쿠폰 ~할인 ~ส่วนลด ~คูปอง mã_giảm",
    ),
    (Promo, "mã_khuyến giảm_giá"),
    // The number after them names a thing.
    (
        Ref,
        "order* invoice* ticket* booking* reservation* reference ref refs case parcel* shipment* package*",
    ),
    (Ref, "tracking track flight train gate"),
    (
        Ref,
        "seat room flat suite depot policy contract claim id account acct customer member bill platform",
    ),
    (Ref, "route street area transaction txn trx model version floor bus"),
    (
        Ref,
        "bestellung* rechnung* auftrag* sendung* kundennummer* vorgang* rechnungsnr zimmer gleis vertrag*",
    ),
    (Ref, "konto* laden facture* commande*"),
    (
        Ref,
        "colis client* dossier pedido* factura* orden envío* referencia* cliente* cuenta* contrato*",
    ),
    (Ref, "consulta boleto* fatura* encomenda* protocolo* conta pacco*"),
    (
        Ref,
        "ordine* bolletta* fattura* pratica pakket* bestelling* factuur* klantnummer paket* beställning*",
    ),
    (Ref, "faktura* ordre* pakke* tilaus* pakettisi lasku* przesyłk* paczk*"),
    (
        Ref,
        "zamówien* faktur* gabinet automacie rachunek zásilk* objednávk* balík* zásielk* csomag* rendelés*",
    ),
    (
        Ref,
        "számla* comand* colet* pošiljk* paketić* narudžb* sipariş* kargo* gönderi*",
    ),
    (
        Ref,
        "sifariş* pesanan* resi paket tagihan* invoice pelanggan transaksi rekening akaun pesanan đơn_hàng",
    ),
    (Ref, "hóa_đơn đơn vận_đơn"),
    (
        Ref,
        "заказ* замовлен* посылк* посилк* счет* счёт* рахун* накладн* номер номером отправлен* договор* ул",
    ),
    (Ref, "вул відділен* билет* рейс*"),
    (
        Ref,
        "рачун* пратк* поръчк* αποστολ* δέμα* παραγγελ* طلب* الطلب طلبك شحنتك شحنة فاتورة فاتورتك حسابك",
    ),
    (
        Ref,
        "حساب سفارش* شماره مرسوله آرڈر הזמנה החבילה חבילה ברחוב रिचार्ज ऑर्डर* खाता*",
    ),
    (
        Ref,
        "पार्सल* অর্ডার* ऑर्डर ~订单 ~快递 ~运单 ~单号 ~編號 ~编号 ~包裹 ~订单号 ~訂單 ~伝票番号 ~注文番号 ~予約番号 ~お荷物 ~운송장 ~주문번호 ~택배",
    ),
    (Ref, "~พัสดุ ~คำสั่งซื้อ ~สาขา ~เลขที่ ~會議室 ~会议室"),
    // The number after them is to be called or written to.
    (
        Call,
        "call dial reply tel hotline helpline landline ring stop anruf* rufen appelez tél répondez llama",
    ),
    (Call, "llame marque marca llamar envía responda ligue responde"),
    (
        Call,
        "chiama* chiamare numero_verde rispondi bel soita puh infolinia zadzwoń odpowiedz volejte hívja",
    ),
    (Call, "sunați apelați detalii pozovite"),
    (
        Call,
        "ara arayın yazıp gönder* zəng hubungi hub tlp telp telpon ketik kirim hubungi* tawag tawagan",
    ),
    (Call, "tumawag piga afbud"),
    (
        Call,
        "звоните позвоните тел гаряча горячая линия номеров дзвоніть обадете τηλ καλέστε ტელ დარეკეთ ይደውሉ",
    ),
    (
        Call,
        "اتصل للاتصال للاستفسار هاتف جوال للتواصل للإبلاغ تماس تلفن پشتیبانی لغو کال טלפון חייגו התקשרו",
    ),
    (Call, "שירות डायल कॉल* ডায়াল* কল அழைக்க*"),
    (
        Call,
        "కాల్ ~致电 ~拨打 ~请拨 ~详拨 ~客服 ~热线 ~电话 ~退订 ~分机 ~致電 ~電話 ~熱線 ~専用 ~問合せ ~お問い合わせ ~문의 ~수신거부 ~전화 ~상담 ~โทร",
    ),
    (Call, "~ติดต่อ ~กด gọi liên_hệ tổng_đài soạn"),
    (Call, "shipper"),
    // Ways of reaching somebody; the number after them is often one to be called, but a code is for them too ("code for your phone").
    (
        Contact,
        "phone* telephone* text txt sms mms whatsapp wa contact* support fraud info help fax telefon*",
    ),
    (Contact, "telefonisch téléphone* contactez"),
    (
        Contact,
        "teléfono telefone* kontakt* cellulare celular móvil handy mobil* mobile bilgi телефон* τηλέφωνο*",
    ),
    (Contact, "điện_thoại telefonszám*"),
    // The number after them is the end of something.
    (
        Tail,
        "ending ends ended end card cards last digits debit credit xx xxxx terminad* tarjeta* final cartão*",
    ),
    (Tail, "cartao* terminant* termine"),
    (
        Tail,
        "carte* carta terminante* endet endend* karte* kartennummer eindigend* kaart kortet kort kortti",
    ),
    (
        Tail,
        "karta karty kartą kartę koncówk* končící* kártya cardul kartica kartice bitened kartınız*",
    ),
    (
        Tail,
        "berakhir* berakhiran kartu kad berakhir kết_thúc số_đuôi карта карты карту карте картой картка",
    ),
    (
        Tail,
        "картки счёта заканчив* закінчу* оканчив* картата κάρτα* κάρτας λήγει_σε ბარათ* քարտ* بطاقة",
    ),
    (
        Tail,
        "بطاقتك البطاقة تنتهي المنتهية کارت کارڈ כרטיס בכרטיס כרטיסך המסתיים",
    ),
    (
        Tail,
        "कार्ड* समाप्त কার্ড* கார்டு* ~尾号 ~末四位 ~后四位 ~尾號 ~末四碼 ~末尾 ~下四桁 ~끝자리 ~카드 ~ลงท้าย ~บัตร biten",
    ),
    // What the number before them counts.
    (
        Unit,
        "minute* minutes mins min second* seconds secs sec s hour* hours hrs hr h day days week weeks month",
    ),
    (Unit, "months year years pm am gb mb"),
    (
        Unit,
        "kb tb km cm m kg g lb points point* pts miles people x times pupils pages calls units nm mhz",
    ),
    (
        Unit,
        "stunde* tag tage tagen woche* monat* sekunde* jahr uhr jour jours",
    ),
    (
        Unit,
        "heure* mois secondes ans minuto* hora* día* días semana* segundo* mes meses año* dia dias minuti",
    ),
    (Unit, "secondi ore giorni mesi minuten uur uren dagen minuter"),
    (
        Unit,
        "timmar dagar minutter timer dager dage minuuttia tuntia päivää minut minuty godzin* dni sekund*",
    ),
    (
        Unit,
        "hodin* dnů dní perc óra nap napig zile minute dana sata dakika* saat gün",
    ),
    (
        Unit,
        "saniye dəqiqə menit jam hari detik bulan minit мин минут* минуты хв хвилин* час часа часов годин*",
    ),
    (
        Unit,
        "день дня дней днів сек секунд* месяц* гб мб балл* бонус* минута дана дни мин*",
    ),
    (
        Unit,
        "λεπτ* ώρες ημέρ* წუთ* րոպե* ደቂቃ* ቀናት ሰዓት دقيقة دقائق دقایق ساعة ساعات يوم أيام ثانية دقیقه ساعت",
    ),
    (Unit, "روز ثانیه جيجا منٹ گھنٹے دن جی דקות דקה שעות ימים ימי"),
    (
        Unit,
        "मिनट* घंटे* दिन* सेकंड* मिनिट* मिनेट* মিনিট* ঘণ্টা* দিন* জিবি நிமிட* நாட்* నిమిష* రోజు* ನಿಮಿಷ*",
    ),
    (Unit, "മിനിറ്റ്* મિનિટ* ਮਿੰਟ* මිනිත්තු*"),
    (
        Unit,
        "phút giờ ngày giây tháng ~分钟 ~分鐘 ~分 ~秒 ~小时 ~小時 ~天 ~日 ~月 ~年 ~時 ~时 ~点 ~點 ~号楼 ~折 ~个 ~位 ~名 ~人 ~階 ~楼",
    ),
    (Unit, "~分間 ~時間 ~日間 ~분 ~초 ~시간 ~시 ~일 ~월 ~년 ~명 ~개"),
    (
        Unit,
        "~นาที ~วินาที ~ชั่วโมง ~วัน ~เดือน ~ນາທີ ~ຊົ່ວໂມງ ~ວັນ ~នាទី ~ម៉ោង ~ថ្ងៃ ~မိနစ် ~နာရီ ~ရက်",
    ),
    // Currencies.
    (
        Money,
        "usd eur gbp idr rp myr rm sgd php thb vnd inr pkr bdt lkr jpy krw cny rmb twd hkd nt hk aud cad",
    ),
    (Money, "nzd chf sek nok dkk kr pln zł zl"),
    (
        Money,
        "czk kč huf ft ron lei leu bgn лв hrk rsd tl rub руб* р uah грн kzt тг теңге byn azn manat* uzs som",
    ),
    (
        Money,
        "сум сом gel ლარ* amd դրամ* birr etb ብር ngn naira zar kes tsh ksh brl mxn",
    ),
    (
        Money,
        "ars clp soles peso* pesos dólar* dollar* euro* euros pound* pence rupee* rs rupiah ringgit yen won",
    ),
    (Money, "yuan baht dong vnđ đ đồng đồng* d lira* złot* korun* forint*"),
    (
        Money,
        "dinar* ден ден* denar* динар* евро рубл* гривен* гривн* ريال ريالا درهم جنيه دينار ليرة دولار aed",
    ),
    (
        Money,
        "sar egp iqd qar omr kwd bhd irr تومان ریال روپے روپیہ שח שקל שקלים ils nis रुपये* रुपए*",
    ),
    (
        Money,
        "रु টাকা* টাকায় ரூ* ரூபாய்* రూ* రూపాయ* ರೂ* രൂപ* રૂ* ਰੁਪਏ* ~元 ~圆 ~块 ~円 ~원 ~บาท ~ກີບ ~រៀល ~ကျပ် ~圓",
    ),
    (Money, "juta jt ribu rb k triệu tr nghìn"),
    // Months.
    (
        Month,
        "january february march april june july august september october november december jan feb mar apr",
    ),
    (Month, "jun jul aug sep sept oct nov"),
    (
        Month,
        "dec januar februar märz mai juni juli oktober dezember janvier février mars avril juin juillet",
    ),
    (
        Month,
        "août septembre octobre novembre décembre enero febrero marzo abril mayo junio julio",
    ),
    (
        Month,
        "agosto septiembre octubre noviembre diciembre janeiro fevereiro março maio",
    ),
    (
        Month,
        "gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre stycznia lutego kwietnia",
    ),
    (Month, "maja czerwca lipca sierpnia"),
    (
        Month,
        "września października listopada grudnia января февраля марта апреля мая июня июля августа сентября",
    ),
    (
        Month,
        "октября ноября декабря ocak şubat mart nisan mayıs haziran temmuz",
    ),
    (
        Month,
        "ağustos eylül ekim kasım aralık januari februari mei agustus desember",
    ),
    (
        Month,
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر فروردین اردیبهشت خرداد",
    ),
    (Month, "تیر مرداد شهریور مهر آبان آذر"),
    (Month, "دی بهمن اسفند نوروز"),
    // The code beside them no longer counts.
    (
        Old,
        "old previous earlier former ignore expired superseded alte alten vorherige* ancien précédent",
    ),
    (Old, "anterior* vecchio"),
    (
        Old,
        "precedente старый старого предыдущ* старий sebelumnya lama eski ~旧 ~舊 ~以前 ~이전 ~ໝົດອາຍຸແລ້ວ",
    ),
];
