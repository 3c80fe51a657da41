# ruff: noqa: E501
"""Texts of our own in the languages of encodings that came before Unicode."""

TEXTS = {
    "shift_jis": "検索エンジンは、文書の中から質問に近い段落を探します。結果には行番号が付きます。"
    "設定を変えると、索引は自動的に作り直されます。詳しくは説明書を読んでください。",
    "euc_jp": "昨日の会議では、新しい発電機の試験について話し合いました。次回は来週の火曜日です。"
    "参加できない人は、前もって連絡してください。資料は後で送ります。",
    "gb18030": "搜索引擎在文件中寻找与问题最接近的段落。每个结果都带有行号，可以直接打开。"
    "如果修改了设置，索引会自动重新建立。详细说明请参阅手册。",
    "big5": "搜尋引擎在文件中尋找與問題最接近的段落。每個結果都帶有行號，可以直接開啟。"
    "如果修改了設定，索引會自動重新建立。詳細說明請參閱手冊。",
    "euc_kr": "검색 엔진은 문서에서 질문에 가장 가까운 문단을 찾습니다. 결과에는 줄 번호가 붙습니다. "
    "설정을 바꾸면 색인이 자동으로 다시 만들어집니다. 자세한 내용은 설명서를 읽어 주세요.",
    "koi8_r": "Поисковая программа находит в документах абзацы, которые ближе всего к вопросу. "
    "У каждого результата есть номер строки. Если изменить настройки, указатель строится заново.",
    "cp866": "Вчера на собрании обсуждали испытания нового генератора. Следующая встреча будет во "
    "вторник. Кто не может прийти, пусть сообщит об этом заранее.",
    "cp1250": "Vyhledávač najde v dokumentech odstavce, které jsou otázce nejblíže. Každý výsledek má "
    "číslo řádku. Když změníte nastavení, rejstřík se sám vytvoří znovu. Příště začneme v úterý.",
    "cp1251": "Търсачката намира в документите абзаците, които са най-близо до въпроса. Всеки "
    "резултат има номер на ред. Ако промените настройките, указателят се прави отново.",
    "cp1252": "Die Suche findet in den Dokumenten die Absätze, die der Frage am nächsten kommen. "
    "Jeder Treffer hat eine Zeilennummer. Wer Einstellungen ändert, für den wird das Verzeichnis "
    "neu aufgebaut – “später” heißt: über Nacht.",
    "cp1253": "Η μηχανή αναζήτησης βρίσκει στα έγγραφα τις παραγράφους που είναι πιο κοντά στην "
    "ερώτηση. Κάθε αποτέλεσμα έχει αριθμό γραμμής. Αν αλλάξετε τις ρυθμίσεις, όλα γίνονται ξανά.",
    "cp1254": "Arama motoru, belgelerde soruya en yakın paragrafları bulur. Her sonucun bir satır "
    "numarası vardır. Ayarları değiştirirseniz dizin kendiliğinden yeniden oluşturulur. Toplantı "
    "gelecek salı günü öğleden sonra yapılacaktır.",
    "cp1255": "מנוע החיפוש מוצא במסמכים את הפסקאות הקרובות ביותר לשאלה. לכל תוצאה יש מספר שורה. "
    "אם משנים את ההגדרות, המפתח נבנה מחדש. הפגישה הבאה תהיה ביום שלישי.",
    "cp1256": "يجد محرك البحث في المستندات الفقرات الأقرب إلى السؤال. لكل نتيجة رقم سطر. إذا غيرت "
    "الإعدادات فسوف يبنى الفهرس من جديد. الاجتماع القادم يوم الثلاثاء بعد الظهر.",
    "cp1257": "Paieškos variklis dokumentuose randa pastraipas, kurios yra arčiausiai klausimo. "
    "Kiekvienas rezultatas turi eilutės numerį. Pakeitus nustatymus, rodyklė sudaroma iš naujo. "
    "Kitas susitikimas įvyks antradienį, o šį kartą žmonės gali pranešti iš anksto.",
    "mac_roman": "Le moteur de recherche trouve dans les documents les paragraphes les plus proches "
    "de la question. Chaque résultat a un numéro de ligne. Si l’on change un réglage, l’index est "
    "refait dès la nuit. La réunion a été déplacée à mardi, où les élèves étaient présents.",
    "tis_620": "โปรแกรมค้นหาจะหาย่อหน้าในเอกสารที่ใกล้เคียงกับคำถามมากที่สุด ผลลัพธ์แต่ละรายการมีหมายเลขบรรทัด "
    "ถ้าเปลี่ยนการตั้งค่า ดัชนีจะถูกสร้างขึ้นใหม่ การประชุมครั้งต่อไปคือวันอังคาร",
    "cp850": "La búsqueda encuentra en los documentos los párrafos que están más cerca de la pregunta. "
    "Cada resultado tiene un número de línea. Mañana será la reunión de los niños.",
}
"""A paragraph for each encoding, by the name that Python gives it."""
