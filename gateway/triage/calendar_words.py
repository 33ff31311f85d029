"""Names of months and time zones, and the words that stand around a time of day, in the languages of requests.

A table only. Names of zones that mean several are left out on purpose: CST, IST, BST, AST.
"""

from collections.abc import Mapping

from gateway.triage.normal import fold

_MONTH_NAMES = (
    (
        "jan january janvier janv enero ene januar jaenner janeiro gennaio gen ianuarie ian ocak januari январь января янв січень січня січ "
        "يناير جانفي كانون_الثاني იანვარი იანვარს იანვრის հունվար հունվարի yanvar"
    ),
    (
        "feb february februari fevrier fevr fev febrero februar fevereiro febbraio februarie subat февраль февраля фев лютий лютого лют "
        "فبراير فيفري شباط თებერვალი თებერვალს თებერვლის փետրվար փետրվարի fevral"
    ),
    (
        "mar march mars marzo marz maerz mrz marco martie mart maart март марта мар березень березня бер مارس آذار "
        "მარტი მარტს მარტის մարտ մարտի"
    ),
    (
        "apr april avril avr abril abr aprile aprilie nisan апрель апреля апр квітень квітня квіт أبريل نيسان أفريل "
        "აპრილი აპრილს აპრილის ապրիլ ապրիլի aprel"
    ),
    "may mai mayo maio maggio mag mayis mei май мая травень травня трав مايو أيار ماي მაისი მაისს მაისის մայիս մայիսի",
    (
        "jun june juin junio juni junho giugno giu iunie haziran июнь июня июн червень червня черв يونيو حزيران جوان "
        "ივნისი ივნისს ივნისის հունիս հունիսի iyun"
    ),
    (
        "jul july juillet juil julio juli julho luglio lug iulie temmuz июль июля июл липень липня лип يوليو تموز جويلية "
        "ივლისი ივლისს ივლისის հուլիս հուլիսի iyul"
    ),
    (
        "aug august augustus aout agosto ago agustos август августа авг серпень серпня серп أغسطس آب أوت "
        "აგვისტო აგვისტოს օգոստոս օգոստոսի avqust"
    ),
    (
        "sep sept september septembre septiembre setembro set settembre septembrie eylul сентябрь сентября сен сент вересень вересня вер "
        "سبتمبر أيلول სექტემბერი სექტემბერს სექტემბრის սեպտեմբեր սեպտեմբերի sentyabr"
    ),
    (
        "oct october octobre octubre oktober okt outubro out ottobre ott octombrie ekim октябрь октября окт жовтень жовтня жовт "
        "أكتوبر تشرين_الأول ოქტომბერი ოქტომბერს ოქტომბრის հոկտեմբեր հոկտեմբերի oktyabr"
    ),
    (
        "nov november novembre noviembre novembro noiembrie kasim ноябрь ноября ноя нояб листопад листопада лист نوفمبر تشرين_الثاني "
        "ნოემბერი ნოემბერს ნოემბრის նոյեմբեր նոյեմբերի noyabr"
    ),
    (
        "dec december decembre diciembre dic dezember dez dezembro dicembre decembrie aralik декабрь декабря дек грудень грудня груд "
        "ديسمبر كانون_الأول დეკემბერი დეკემბერს დეკემბრის դեկտեմբեր դեկտեմբերի dekabr"
    ),
)

MONTHS: Mapping[str, int] = {
    fold(name.replace("_", " ")): number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()
}
"""Folded name, in the cases that dates use -> number."""

_FIXED_ZONES: Mapping[str, float] = {
    "z": 0, "utc": 0, "gmt": 0, "zulu": 0, "wet": 0, "west": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2, "eet": 2, "eest": 3,
    "msk": 3, "мск": 3, "trt": 3, "gst": 4, "get": 4, "amt": 4, "azt": 4, "pkt": 5, "wib": 7, "ict": 7, "hkt": 8, "sgt": 8,
    "pht": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3, "art": -3, "clst": -3, "clt": -4,
    "edt": -4, "est": -5, "cdt": -5, "mst": -7, "pdt": -7, "pst": -8, "utc zulu": 0, "utc time": 0, "tmg": 0, "hec": 1, "hnec": 1,
    "универсального времени": 0, "всемирного координированного времени": 0, "по гринвичу": 0, "за гринвічем": 0, "temps universel": 0,
    "московское время": 3, "по московскому времени": 3, "московского времени": 3, "московскому времени": 3, "moscow time": 3, "heure de moscou": 3,
    "日本時間": 9, "日本標準時": 9, "japan standard time": 9, "japan time": 9, "tbilisi time": 4, "yerevan time": 4,
    "თბილისის დროით": 4, "երևանի ժամանակով": 4, "istanbul time": 3, "turkey time": 3, "tsi": 3, "turkiye saati": 3,
    "hora de brasilia": -3, "horario de brasilia": -3, "hora argentina": -3, "بتوقيت غرينتش": 0, "توقيت غرينتش": 0, "协定世界时": 0,
    "協定世界時": 0, "გრინვიჩით": 0,
}  # fmt: skip

ZONES: Mapping[str, float] = {fold(name): hours for name, hours in _FIXED_ZONES.items()}
"""Folded name -> hours ahead of UTC."""

HOUR_WORDS = r"uhr|hrs|hours|hour|h|uur|o'clock|ore|ora|ч\.?|час(?:ов|а)?\.?|год(?:ин(?:и|у)?)?\.?|horas?|hs|heures?|時|საათ\w*|ժամ\w*"
"""What may stand between a time of day and its zone."""
