"""Politics: templates. See `ligero.demo.grammar` for the marks."""

RULES = {
    "quien_politica": """
        {per#1}
        {sur#1}
        {sur#1}
        {double#1}
        el@1 {r.politica@1} {per#1}
        el@1 {r.cartera@1} de {office} , {per#1} ,
        el@1 {r.partido@1} de el@2 {party#2} {per#1}
        el@1 {r.politica#1}
        el@1 {r.local#1} de {city}
        el@1 {r.local@1} de {city} , {per#1} ,
        {per#1} ( {party_acr} )
        """,
    "party_acr": """
        [ORG PLI ]
        [ORG PVA ]
        [ORG UP ]
        {party}
        """,
    "treaty": """
        el [MISC Tratado de Lisboa ]
        el [MISC Acuerdo de París ]
        la [MISC Carta de las Naciones Unidas ]
        el [MISC Convenio de Ginebra ]
        """,
    "c_politica": """
        el [ORG Congreso ] aprobó_v el@1 {law#1} con {num.150.300} votos_n
        el@1 {party#1} {v.aprobar.pret} el@2 {n.norma#2} {a.politica@2}
        el@1 {party#1} ganó_v las elecciones_n en {region}
        {quien#1} {v.aprobar.pret@1} un@2 {n.norma#2} sobre el@3 {n.servicio#3}
        {quien#1} {v.criticar.pret@1} el@2 {n.norma#2} de {office}
        {quien#1} dimitió_v tras el@2 {n.debate#2}
        {quien#1} visitó_v {town} y se reunió_v con {per}
        el@1 {world#1} pidió_v a {country} que respete_v {treaty}
        {country} y {country} firmaron_v un acuerdo_n en {abroad}
        {abroad} acogió_v una conferencia_n de paz_n
        los presidentes_n de {country} y {country} se reunieron_v en {abroad}
        el@1 {party#1} y el@2 {party#2} pactaron_v el@3 {n.norma#3}
        {per#1} fue elegido@1_v {r.local@1} de {city}
        {quien#1} juró_v su cargo_n ante el [ORG Parlamento de {region} ]
        el [ORG Ayuntamiento de {city} ] aprobó_v construir_v un@1 {n.servicio#1}
        {office} retiró_v el@1 {n.norma#1} por falta_n de apoyos_n
        {quien#1} acusó_v a el@2 {party#2} de bloquear_v el@3 {law#3}
        los vecinos_n de {city} protestaron_v ante {office} por el@1 {n.servicio#1}
        el@1 {party#1} eligió_v a {per} como portavoz_n en {region}
        el [ORG Tribunal Supremo ] anuló_v el@1 {n.local#1} de el [ORG Ayuntamiento de {city} ]
        la embajada_n de {country} en {abroad} cerró_v por obras_n
        la victoria_n de {sur} en {region} sorprendió_v a el@1 {party#1}
        el barco_n partió_v de {city} hacia el interior_n de {country}
        {double#1} presidió_v el@2 {n.debate#2} sobre el@3 {law#3}
        la delegación_n de {country} llegó_v a {abroad} con un mensaje_n de esperanza_n
        """,
    "k_politica": """
        el@1 {party#1} votará_v en contra_r de el@2 {law#2}
        {quien#1} defiende_v el@2 {law#2}
        el [ORG Gobierno ] confía_v en aprobar_v el@1 {law#1} en {month}
        {quien#1} será candidato@1_n en {region}
        el@1 {n.debate#1} se celebrará_v el {date} en {city}
        el pacto_n entre {country} y {country} sigue_v lejos
        {abroad} acogerá_v una cumbre_n sobre la paz_n
        el@1 {law#1} es el pilar_n de la legislatura_n
        las competencias_n de {office} pasan_v a {region}
        nadie en el@1 {party#1} quiere_v hablar_v de {sur}
        {country} cerrará_v su embajada_n en {abroad}
        el agua_n y la sanidad_n centran_v el@1 {n.debate#1}
        hay_v goteras_n en el interior_n de el@1 {n.instalacion#1} de {city}
        {double#1} encabeza_v la lista_n de el@2 {party#2} por {city}
        el@1 {party#1} gobierna_v en {city} , {city} y {city}
        """,
    "frase_politica": """
        votaremos_v contra el@1 {law#1}
        {sur} debe explicar_v el@1 {n.norma#1}
        es un@1 {n.norma#1} {a.norma@1} para {region}
        {city} necesita_v un@1 {n.servicio#1} nuevo@1_a
        con el@1 {party#1} no hay_v acuerdo_n posible_a
        defiendo_v la paz_n y el diálogo_n
        """,
    "formal_politica": """
        el [ORG Pleno de el Ayuntamiento de {city} ] acuerda_v aprobar_v la [MISC Ordenanza {decree} ] .
        se nombra_v a {tratado} vocal_n de el [ORG Consejo Asesor de {office} ] .
        de conformidad_n con el@1 {law#1} , se publica_v el@2 {n.local#2} de {region} .
        {tratado#1} pregunta_v a el [ORG Parlamento de {region} ] por el@3 {n.servicio#3} de {city} .
        [MISC Real Decreto {decree} ] , por el que_p se regula_v el@1 {n.servicio#1} .
        el [ORG Ministerio de {office} ] notifica_v a {tratado} la resolución_n de el {date.y} .
        {tratado#1} , en nombre_n de el@2 {party#2} , abre_v la sesión_n a las {num.9.20} horas_n .
        """,
    "talk_politica": """
        ¿ a quién vas_v a votar_v , {given} ?
        ¿ sabes_v que {per} se presenta_v por el@1 {party#1} ?
        ¡ otra huelga_n en {city} !
        yo a {sur} no le creo_v nada_r .
        mi {r.familia@1} {given#1} conoce_v a {per#3} , el@3 de el@2 {party#2} .
        — ¿ quién manda_v ahora en {office} ? — {sur} , creo_v .
        en {city} piden_v otro@1 {n.servicio#1} desde hace_v años .
        {double} fue a la manifestación_n con {given} .
        ¿ y qué_p dice_v el@1 {law#1} de eso ?
        al_e final_n , {sur#1} se quedó_v solo@1_a , ¿ no ?
        """,
    "headline_politica": """
        {sur} dimite_v
        el [ORG Gobierno ] aprueba_v el@1 {law#1}
        {office} retira_v el@1 {n.norma#1}
        {country} y {country} , más cerca de un acuerdo_n
        {abroad} acoge_v la conferencia_n de paz_n
        victoria_n de el@1 {party#1} en {region}
        {per#1} , {r.local@1} de {city}
        el@1 {party#1} rompe_v con el@2 {party#2}
        {sur} visita_v {abroad}
        el@1 {world#1} se reúne_v en {abroad}
        esperanza_n de acuerdo_n en {abroad}
        {city} pide_v a {office} un@1 {n.servicio#1}
        luz_n verde_a a el@1 {law#1}
        {double} , en {town} : « {frase} »
        sol_n y poca_d participación_n en {region}
        """,
    "social_politica": """
        {nombre} por un lado_n y {nombre} por otro_p
        nunca me ha gustado_v {nombre}
        {sur} no tiene_v vergüenza_n , de verdad_n
        otro@1 {n.debate#1} para nada ... # {party}
        que_s alguien explique_v el@1 {law#1} porfa_i
        en {city} llevamos_v {num.4.20} años esperando_v el@1 {n.servicio#1}
        {double.f} presidenta_n ya !
        {sur} y {sur} son lo mismo_a
        {party} , {party} ... todos iguales_a
        """,
}
