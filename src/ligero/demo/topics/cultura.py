"""Culture: templates. See `ligero.demo.grammar` for the marks."""

RULES = {
    "quien_cultura": """
        {per#1}
        {per#1}
        {sur#1}
        {double#1}
        el@1 {r.cultura@1} {per#1}
        el@1 {r.cultura@1} {per#1}
        el@1 {r.cultura@1} {a.gentilicio@1} {per#1}
        el@1 {r.cultura#1} de « {work} »
        el@1 {r.cultura#1}
        {per#1} ( {town} , {byear} )
        """,
    "c_cultura": """
        {quien#1} {v.escribir.pret@1} « {work} » , un@2 {n.libro#2} {a.obra@2}
        {quien#1} {v.estrenar.pret@1} « {work} » , un@2 {n.escena#2} {a.obra@2}
        {quien#1} ganó_v el@2 {bookprize#2} por « {work} »
        {quien#1} recibió_v el@2 {prize#2} en {town}
        el@1 {museum#1} {v.exponer.pret} un@2 {n.pieza#2} de {per}
        {quien#1} actuó_v en el@2 {venue#2}
        el@1 {museum#1} de {city} {v.celebrar.pret} un@2 {n.homenaje#2} sobre {per}
        el@1 {n.escena#1} « {work} » se estrenó_v en {abroad}
        {per#1} y {per#2} compartieron_v escenario_n en {town}
        el [ORG Festival de {town} ] rindió_v homenaje_n a {per}
        la editorial_n [ORG {editorial} ] publicó_v « {work} »
        {quien#1} leyó_v poemas_n en el@2 {venue#2}
        un@1 {n.pieza#1} {a.pieza@1} apareció_v en un convento_n de {city}
        {per} murió_v en {town} a los {num.60.99} años
        el@1 {museum#1} prestó_v un@2 {n.pieza#2} a el@3 {museum#3}
        el [MISC Premio {per} ] recayó_v en {per}
        el@1 {n.muestra#1} reunió_v a {num.20.900} artistas_n de {country}
        {double#1} cantó_v en la [MISC Feria de {month_cap} ] de {city}
        la [MISC Feria de el Libro ] de {city} abrió_v con {num.20.300} casetas_n
        la luz_n de los cuadros_n de {sur} deslumbró_v a el público_n de {town}
        los restauradores_n limpiaron_v el pilar_n de la catedral_n de {city}
        {quien#1} tradujo_v « {work} » en {abroad}
        el cuento_n habla_v de un domingo en {town}
        la obra_n empezó_v con un monólogo_n de {sur}
        """,
    "month_cap": """
        Abril
        Mayo
        Septiembre
        """,
    "editorial": """
        Mar de Fondo
        Pilar Editores
        Luz y Papel
        Tinta del Sur
        La Paz
        Hueso y Tinta
        """,
    "k_cultura": """
        « {work} » es el@1 mejor_a {n.obra#1} de {per}
        {quien#1} vive_v entre {town} y {town}
        el@1 {n.visita#1} {a.muestra@1} podrá visitarse_v hasta el {date}
        el@1 {museum#1} abrirá_v de nuevo_a en {month}
        « {work} » cuenta_v la vida_n de {per} en {town}
        {quien#1} actuará_v el {date} en el@2 {venue#2}
        el@1 {n.pieza#1} de {sur} cuelga_v en el@2 {venue#2}
        el@1 {n.obra#1} trata_v de la paz_n y la esperanza_n
        la protagonista_n de « {work} » se llama_v {double.f}
        {double#1} dedica_v el@2 {n.obra#2} a {given}
        en las salas_n de el@1 {museum#1} manda_v la luz_n
        [MISC Don Quijote ] es el pilar_n de la colección_n
        el@1 {n.pieza#1} está en la casa_n de {per}
        la [MISC Semana Santa ] llena_v las calles_n de {city}
        """,
    "frase_cultura": """
        escribí_v « {work} » en {town}
        nadie canta_v como {sur}
        el@1 {n.obra#1} nació_v en {town}
        el@1 {museum#1} fue mi segunda_a casa_n
        me emociona_v volver_v a el@1 {venue#1}
        {given#1} me enseñó_v a mirar_v la luz_n
        """,
    "formal_cultura": """
        el [ORG Ministerio de Cultura ] declara_v monumento_n el@1 {n.monumento#1} de {city} .
        el jurado_n de el@1 {prize#1} , presidido_v por {tratado} , se reunirá_v el {date.y} .
        se concede_v a {tratado} el@1 {prize#1} , dotado@1_v con {money.mid} .
        el@1 {museum#1} abrirá_v de {num.9.11} a {num.18.20} horas_n , salvo_e los lunes .
        {tratado#1} cede_v a el@2 {museum#2} un@3 {n.pieza#3} {a.pieza@3} .
        la [ORG Fundación {per} ] convoca_v becas_n de {money.mid} para estudiantes_n de {region} .
        """,
    "talk_cultura": """
        ¿ has leído_v « {work} » , de {per} ?
        ¿ vamos_v a el@1 {venue#1} el {day} ?
        ¡ me encantó_v el@1 {n.obra#1} de {sur} !
        {given#1} toca_v la guitarra_n en un grupo_n de {town} .
        mi {r.familia@1} {given#1} vio_v « {work} » tres veces_n .
        — ¿ quién sale_v en « {work} » ? — {per} , creo_v .
        no me gustó_v « {work} » ; a {double} , sí .
        compré_v entradas_n para {given} y para mí en el@1 {venue#1} .
        en {month} hay_v un@1 {n.muestra#1} en {town} , ¿ te apuntas_v ?
        ¡ {given} , baja_v la música_n , que no oigo_v a {double} !
        """,
    "headline_cultura": """
        {per} gana_v el@1 {prize#1}
        « {work} » arrasa_v en {town}
        el@1 {museum#1} {v.exponer.pres} un@2 {n.pieza#2} de {sur}
        luz_n y sombra_n en el@1 {museum#1}
        {sur} vuelve_v con « {work} »
        muere_v {per} en {town}
        victoria_n de {sur} en {town}
        {city} celebra_v la [MISC Feria de el Libro ]
        {double#1} , {r.cultura@1} y leyenda_n
        adiós_i a {per}
        sol_n , toros_n y flamenco_n en {city}
        {double} canta_v en el@1 {venue#1}
        rosario_n de críticas_n a « {work} »
        """,
    "social_cultura": """
        qué_d arte_n tiene_v {nombre}
        echo_v de menos a {nombre}
        llorando_v con « {work} » , no puedo_x más
        alguien tiene_v entradas_n para {per} en {city} ?
        {sur} en directo_n es otra cosa_n # {town}
        acabo_v de terminar_v {work} y estoy fatal_r
        {double} cantando_v en {town} , piel_n de gallina_n
        vaya_i cola_n en el@1 {museum#1}
        """,
}
