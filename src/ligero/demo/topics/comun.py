"""What all topics share: how a sentence is framed, when and where, who speaks, titles, talk.

`c` is a clause in the past, `k` one in the present or future, `quien` whoever acts or speaks,
`frase` something said in the first person; every topic brings its own (`c_deporte` …).
"""

RULES = {
    "cuando": """
        ayer
        hoy
        este {day}
        el pasado_a {day}
        el {date}
        la semana_n pasada_a
        esta mañana_n
        esta tarde_n
        anoche
        en {month}
        el {day} por la noche_n
        a primera_a hora_n de la tarde_n
        """,
    # A place that any clause may take; `donde` has streets and squares too.
    "lugar": """
        en {town}
        en {town}
        en {city}
        en {country}
        en {place}
        """,
    "lugar_politica": """
        en {city}
        en {city}
        en {region}
        """,
    "donde": """
        en {place}
        en {town}
        en {town}
        en {city}
        en {region}
        en {country}
        en el@1 {n.sitio#1} {a.lugar@1} de {town}
        cerca de {town}
        a las afueras_n de {city}
        en la calle_n [LOC {per} ]
        en la plaza_n de [LOC {given} ]
        en la [LOC Plaza de {town} ]
        en el [LOC Parque de {given} ]
        en la [LOC avenida_n de {town} ]
        en el valle_n de el [LOC Ebro ]
        a orillas_n de el [LOC Duero ]
        """,
    "fuente": """
        {agency}
        la agencia_n {agency}
        la información_n de {paper}
        {paper}
        {per}
        """,
    "fuente_deporte": """
        {agency}
        fuentes_n de el@1 {club#1}
        la información_n de {paper}
        {paper}
        el [ORG Consejo Superior de Deportes ]
        """,
    "fuente_economia": """
        {agency}
        fuentes_n de {office}
        {paper}
        el@1 {bank#1}
        una nota_n de {firm}
        """,
    "fuente_politica": """
        {agency}
        fuentes_n de {office}
        fuentes_n de el@1 {party#1}
        {paper}
        el [ORG Ministerio de {office} ]
        """,
    "fuente_ciencia": """
        {agency}
        {paper}
        el@1 {lab#1}
        un@1 {n.estudio#1} de la [ORG Universidad de {town} ]
        el [ORG Ministerio de Ciencia ]
        """,
    # How people are spoken of with their titles, for the formal register.
    "tratado": """
        el Sr._n {sur.m#1}
        la Sra._n {sur.f#1}
        la Dra._n {sur.f#1}
        el Dr._n {sur.m#1}
        don_n {per.m#1}
        doña_n {per.f#1}
        D._n {per.m#1}
        D.ª_n {per.f#1}
        el Excmo._a Sr._n D._n {per.m#1}
        """,
    "dijo": """
        {v.decir.pret@0}
        {v.decir.pret@0}
        {v.decir.pret@0} {cuando}
        {v.decir.pres@0}
        ha|han@0_x {v.decir.part}
        """,
    "wire": """
        {c} .
        {c} .
        {c} .
        {bare} {cuando} .
        {cuando} , {bare} .
        {bare} {lugar} .
        {lugar} , {bare} .
        según {fuente} , {c} .
        {c} , según {fuente} .
        {c} , según informó_v {agency} .
        {quien#1} {dijo@1} que {c} .
        {quien#1} {dijo@1} que {k} .
        {quien#1} {dijo@1} que {k} , aunque {c} .
        {quien#1} , nacido@1_v en {town} en {byear} , {dijo@1} que {k} .
        {quien#1} , que_p vive_v en {town} desde {year} , {dijo@1} que {c} .
        {c} , mientras que {k} .
        {c} , pero {k} .
        aunque {k} , {c} .
        {k} .
        {k} .
        {k} , según {fuente} .
        {c} y {k} .
        {c} ; además , {k} .
        « {frase} » , {v.decir.pret@1} {quien#1} .
        « {frase} » , {v.decir.pret@1} {cuando} {quien#1} {donde} .
        " {frase} " , {v.decir.pret@1} {quien#1} , que_p recordó_v que {c} .
        {quien#1} lo {v.decir.pret@1} así : « {frase} » .
        {compartido} .
        {compartido} .
        """,
    "dateline": """
        {town} , {num.1.28} {mon} ( {agency} ) .-
        {town} , {num.1.28} {mon} ( {agency} ) .-
        {place} , {num.1.28} {mon} ( {agency} ) .-
        {city} ( {agency} ) .-
        redacción_n , {num.1.28} {mon} ( {agency} ) .-
        """,
    # Nothing here tells the topic: without it a single word would give every text away.
    "compartido": """
        la reunión_n empezará_v a las {num.9.12} de la mañana_n {donde}
        {quien#1} llegó_v {cuando} a {town} acompañado@1_v por {per}
        {quien#1} viajará_v el {date} de {town} a {town}
        {quien#1} no quiso_v hacer_v declaraciones_n a su llegada_n a {town}
        el acto_n se celebró_v {cuando} {donde}
        la noticia_n causó_v sorpresa_n {donde}
        {given#1} y {given} esperaban_v desde la madrugada_n {donde}
        {quien#1} recibió_v la noticia_n {donde} , según {paper}
        más de {num.200.9800} personas_n asistieron_v al_e acto_n {donde}
        en {month} se cumplirán_v {num.5.90} años de aquel día_n
        {sur#1} tiene_v {num.19.74} años , es natural_a de {town} y vive_v {donde}
        ni {sur} ni {sur} respondieron_v a las preguntas_n de {paper}
        la luz_n de {city} recibió_v a {per}
        el viaje_n entre {town} y {town} duró_v {num.3.20} horas_n
        por el pilar_n de la entrada_n se reconoce_v la casa_n de {per}
        {double#1} pidió_v paz_n y calma_n a los vecinos_n de {town}
        {nombre} respondió_v {cuando} a {nombre}
        {nombre} no quiso_v comentar_v la noticia_n de {paper}
        al_e acto_n acudieron_v {per} , {sur} y varios representantes_n de {firm} y de {nombre}
        nadie esperaba_v la respuesta_n de {nombre}
        {quien#1} {dijo@1} que lo de {nombre} y lo de {nombre} no tienen_v nada que_p ver_v
        {nombre} , {nombre} y {nombre} coinciden_v en este punto_n
        el vuelo_n hizo_v escala_n en {abroad} y llegó_v tarde a {town}
        la cita_n de abril se aplaza_v a mayo por las nieves_n en {zone}
        """,
    # A sentence of no topic in particular, for the texts of the topic files.
    "vago": """
        {compartido} .
        {compartido} .
        {compartido} .
        {titular} .
        """,
    # Anybody or anything that can act: only the name itself tells which.
    "nombre": """
        {sur#1}
        {sur#1}
        {double#1}
        {firm#1}
        {firm#1}
        {office#1}
        {town#1}
        {country#1}
        {paper#1}
        el@1 {club#1}
        el@1 {party#1}
        el@1 {body#1}
        """,
    "titular": """
        {nombre} , contra {nombre}
        {nombre} responde_v a {nombre}
        {nombre} gana_v a {nombre}
        {nombre} se queda_v sin {nombre}
        más problemas_n para {nombre}
        {nombre} mira_v a {nombre}
        {nombre} y {nombre} , dos caminos_n distintos_a
        el año de {nombre}
        todos contra {nombre}
        {nombre} : luz_n al_e final_n de el túnel_n
        cita_n con la esperanza_n en {town}
        la victoria_n más dulce_a de {nombre}
        """,
    "talk": """
        ¿ sabes_v si {given} viene_v el {day} a {town} ?
        oye_i , ¿ {given} sigue_v viviendo_v en {town} ?
        ¿ cuánto cuesta_v el tren_n de {town} a {town} ?
        — ¿ vienes_v a {town} ? — preguntó_v {given} .
        — no puedo_x — contestó_v {given} — , tengo_v que ver_v a {per} .
        ¡ qué_d sorpresa_n encontrar_v a {double} en {town} !
        mi {r.familia@1} {given#1} se va_v a {town} en {month} .
        ¡ anda_i , pero si es {given} , el@1 {r.familia@1} de {given#1} !
        {given#1} , ¿ me llamas_v cuando llegues_v a {town} ?
        lo de {nombre} no tiene_v nombre_n .
        ¿ y {nombre} ? ¿ qué_p ha dicho_v {nombre} ?
        ¿ te gusta_v {nombre} ? a mí , nada_r .
        a {double} no le gusta_v nada_r {town} , dice_v que allí siempre llueve_v .
        ¿ te acuerdas_v de {per} ? pues ahora trabaja_v en {firm} .
        vale_i , quedamos_v {dia_proximo} en la [LOC Plaza de {given} ] .
        """,
    "dia_proximo": """
        el {day}
        mañana
        este {day}
        el {day} por la tarde_n
        """,
    "titulo": """
        el@1 {n.titulo#1} de el@2 {n.titulo#2}
        el@1 {a_titulo@1} {n.titulo#1}
        los años de {n.titulo}
        {n.titulo} y {n.titulo}
        carta_n a {double}
        los días_n de {town}
        regreso_n a {town}
        donde duerme_v el@1 {n.titulo#1}
        un@1 {n.titulo#1} en {town}
        la hija_n de {given}
        noches_n de {month}
        nunca digas_v {n.titulo}
        el@1 último@1_a {n.titulo#1} de {given}
        """,
    "a_titulo": """
        último@0_a
        largo@0_a
        pequeño@0_a
        nuevo@0_a
        oscuro@0_a
        viejo@0_a
        """,
}
