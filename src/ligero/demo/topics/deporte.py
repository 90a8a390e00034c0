"""Sport: templates. See `ligero.demo.grammar` for the marks."""

RULES = {
    "quien_deporte": """
        {per#1}
        {per#1}
        {sur#1}
        {sur#1}
        {double#1}
        el@1 {r.deporte@1} {per#1}
        el@1 {r.deporte@1} {a.gentilicio@1} {per#1}
        el@1 {r.deporte#1} de el@2 {club#2}
        el@1 {r.deporte@1} de el@2 {club#2} , {per#1} ,
        el@1 {a.gentilicio@1} {per#1}
        """,
    "atleta": """
        {per#1}
        {sur#1}
        el@1 {r.atleta@1} {per#1}
        el@1 {r.atleta@1} {a.gentilicio@1} {per#1}
        el@1 {r.atleta#1} de {town}
        """,
    "c_deporte": """
        el@1 {club#1} ganó_v por {score} a el@2 {club#2}
        el@1 {club#1} venció_v a el@2 {club#2} en la final_n de el@3 {cup#3}
        el@1 {club#1} y el@2 {club#2} empataron_v en {city}
        {quien#1} marcó|marcaron@1_v dos goles_n contra el@2 {club#2}
        {quien#1} fichó_v por el@2 {club#2} hasta {fyear}
        el@1 {club#1} presentó_v a {per#2} , procedente_a de el@3 {club#3}
        {atleta#1} se impuso_v en la carrera_n de {town} con un tiempo_n de {num.9.59} minutos_n
        {quien#1} se lesionó_v durante un entrenamiento_n en {town}
        el@1 {n.partido#1} entre el@2 {club#2} y el@3 {club#3} se suspendió_v por la lluvia_n
        la selección_n de {country} se clasificó_v para el@1 {nations#1}
        {atleta#1} ganó_v el@2 {race#2}
        {atleta#1} abandonó_v el@2 {race#2} cerca de {town}
        {atleta#1} logró_v la medalla_n de plata_n en los [MISC Juegos Olímpicos de {abroad} ]
        {quien#1} falló_v un@2 {n.fallo#2} en el último_a minuto_n
        un@1 {n.juego#1} de {sur} dio_v la victoria_n a el@2 {club#2}
        {per#1} y {per#2} llegaron_v a la final_n de dobles_n en {abroad}
        {sur#1} , de [ORG Mercedes ] , logró_v el mejor_a tiempo_n en el circuito_n de {abroad}
        el coche_n de [ORG Mercedes ] abandonó_v en la última_a vuelta_n
        {quien#1} dejó_v el@2 {club#2} para volver_v a {town}
        la {n.victoria} ante el@1 {club#1} sorprendió_v a la afición_n de el@2 {club#2}
        el@1 {club#1} jugó_v un@2 {n.partido#2} {a.calidad@2} frente_r a el@3 {club#3}
        {quien#1} terminó_v {a.animo@1} tras la {n.victoria} en {city}
        el@1 {n.equipo#1} {a.equipo@1} de {city} renovó_v a {per}
        {city} inauguró_v un@1 {n.instalacion#1} con el nombre_n de {per}
        unos trescientos_N aficionados_n de el@1 {club#1} viajaron_v a {abroad}
        el@1 {club#1} cayó_v en {abroad} y quedó_v fuera_r de el@2 {cup#2}
        los dolores_n de rodilla_n obligaron_v a {sur} a retirarse_v en {town}
        """,
    "k_deporte": """
        el@1 {club#1} es líder_n con {num.20.60} puntos_n
        el@1 {club#1} suma_v cuatro victorias_n seguidas_a
        {quien#1} no jugará_v el domingo contra el@2 {club#2}
        el próximo_a {n.partido} será en {city}
        la afición_n de {city} recibirá_v a el@1 {club#1} con paciencia_n
        el sol_n y el viento_n marcarán_v la etapa_n entre {city} y {city}
        a el@1 {club#1} le queda_v la esperanza_n de ganar_v el@2 {cup#2}
        las nieves_n de [LOC Sierra Nevada ] acogerán_v el@1 {race#1}
        el@1 {race#1} pasará_v por {region} y {region}
        {country} es favorita_a en el@1 {nations#1}
        [ORG Santander ] patrocinará_v el@1 {cup#1}
        {quien#1} llevará_v el brazalete_n de capitán_n ante el@2 {club#2}
        la defensa_n es el pilar_n de el@1 {club#1}
        en el@1 {n.instalacion#1} de {city} caben_v {num.1500.60000} espectadores_n
        el@1 {club#1} busca_v un@2 {r.deporte#2} {a.gentilicio@2} para sustituir_v a {sur}
        {double#1} es el@1 mejor_a {r.deporte@1} de {country}
        """,
    "frase_deporte": """
        fue un@1 {n.partido#1} muy {a.grado@1}
        estamos_x contentos_a con el trabajo_n de {sur}
        el@1 {club#1} nos lo puso_v muy difícil_a
        sin {sur} jugamos_v peor_r
        quiero_v volver_v a {town} y ganar_v el@1 {cup#1}
        no hay_v rival_n pequeño_a en el@1 {cup#1}
        """,
    "formal_deporte": """
        la [ORG Federación de Atletismo de {region} ] convoca_v el [MISC Trofeo {city} ] para el {date.y} .
        el [ORG Comité de Competición ] sanciona_v con {num.2.9} partidos_n a {tratado} .
        se abre_v el plazo_n de inscripción_n en el@1 {n.instalacion#1} municipal@1_a de {city} .
        el [ORG Consejo Superior de Deportes ] concede_v una ayuda_n de {money.mid} a {tratado} .
        {tratado#1} presidirá_v la entrega_n de trofeos_n de el@2 {cup#2} {donde} .
        el uso_n de el@1 {n.instalacion#1} queda_v sujeto_a al_e pago_n de una tasa_n de {money.small} .
        """,
    "talk_deporte": """
        ¿ has visto_v el {n.partido} de el@1 {club#1} ?
        ¡ qué_d {n.juego} de {sur} !
        ¿ juega_v {sur} o {sur} el domingo ?
        yo soy de el@1 {club#1} , pero mi {r.familia@2} {given#2} es de el@3 {club#3} .
        ¡ vamos_v , {given} , que ya queda_v poco_r !
        dicen_v que {sur} se va_v a el@1 {club#1} ; no me lo creo_v .
        — ¿ quién ganó_v ? — preguntó_v {given} . — el@1 {club#1} , por {score} .
        fuimos_v a {city} a ver_v a el@1 {club#1} y nos llovió_v todo el {n.partido} .
        {double#1} y yo vimos_v el@2 {cup#2} en casa_n de {given} .
        {given#1} corre_v todos los {day_p} por el [LOC Parque de {given} ] .
        """,
    "day_p": """
        lunes
        martes
        jueves
        sábados_n
        domingos_n
        viernes
        """,
    "headline_deporte": """
        el@1 {club#1} gana_v en {city} y se acerca_v al_e liderato_n
        victoria_n de el@1 {club#1} ante el@2 {club#2}
        {sur} salva_v a el@1 {club#1}
        {per} ficha_v por el@1 {club#1}
        {club} - {club} : duelo_n por el@1 {cup#1}
        dolores_n de cabeza_n para {sur}
        luz_n verde_a a el@1 nuevo@1_a {n.instalacion#1} de {city}
        {city} despide_v a {per}
        {sur} y {sur} , finalistas_n en {abroad}
        esperanza_n en el@1 {club#1} : vuelve_v {sur}
        {double} gana_v el@1 {cup#1}
        pilar_n de la defensa_n , {sur} renueva_v hasta {fyear}
        {country} , rival_n de {country} en el@1 {nations#1}
        {per} gana_v el@1 {race#1}
        """,
    "social_deporte": """
        otra vez_n {nombre} ... y yo trabajando_v
        {nombre} y {nombre} , menudo_d cuadro_n
        vaya_i {n.juego} de {sur} # {club}
        que_d partidazo_n de el@1 {club#1} jaja_i
        alguien viendo_v el@1 {cup#1} ? {sur} es un crack_n
        otra vez_n perdemos_v en {city} ... gracias_n {sur}
        {double.f} , entrenadora_n de el@1 {club#1} ya !
        menudo_d robo_n , el penalti_n a {sur} era clarísimo_a
        hoy juega_v el@1 {club#1} y yo en {town} sin tele_n
        """,
}
