"""Science: templates. See `ligero.demo.grammar` for the marks."""

RULES = {
    "quien_ciencia": """
        {per#1}
        {sur#1}
        {double#1}
        el@1 {r.ciencia@1} {per#1}
        el@1 {r.ciencia@1} {per#1}
        el@1 {r.ciencia@1} {a.gentilicio@1} {per#1}
        el@1 {r.ciencia@1} de el@2 {lab#2} {per#1}
        el@1 {r.ciencia#1} de la [ORG Universidad de {town} ]
        {per#1} , de la [ORG Universidad de {town} ] ,
        el Dr._n {sur.m#1}
        la Dra._n {sur.f#1}
        """,
    "c_ciencia": """
        {quien#1} {v.hallar.pret@1} {hallado_en}
        {quien#1} {v.hallar.pret@1} {hallado}
        un equipo_n de el@1 {lab#1} {v.hallar.pret} {hallado_en}
        un equipo_n de la [ORG Universidad de {town} ] {v.hallar.pret} {hallado}
        la revista_n [MISC {revista} ] publicó_v un@1 {n.estudio#1} de {per}
        el telescopio_n {scope} fotografió_v un@2 {n.astro#2} {a.astro@2}
        el@1 {lab#1} lanzó_v un@2 {n.aparato#2} desde {abroad}
        la sonda_n {probe} envió_v las primeras_a imágenes_n de un@2 {n.astro#2}
        la {probe} se posó_v en [LOC Marte ] después de {num.90.400} días_n de viaje_n
        el@1 {n.fosil#1} apareció_v a {num.20.900} kilómetros_n de {town}
        {quien#1} estudió_v el@2 {n.mal#2} en {zone}
        el@1 {n.enfermedad#1} afectó_v a {num.20.9000} personas_n en {country}
        {quien#1} presentó_v en {abroad} un@2 {n.estudio#2} sobre el@3 {n.enfermedad#3}
        el@1 {lab#1} y la [ORG Universidad de {town} ] construyeron_v un@2 {n.aparato#2}
        la luz_n de el@1 {n.astro#1} tardó_v {num.200.9000} años en llegar_v al_e {scope}
        un terremoto_n de magnitud_n {num.3.6} sacudió_v {region}
        el volcán_n expulsó_v ceniza_n sobre {town}
        {quien#1} recibió_v una beca_n de {money.mid} de el@2 {lab#2}
        abril fue el mes_n más seco_a en {region} desde {year}
        las nieves_n se retiraron_v {num.20.90} metros_n en los [LOC Pirineos ]
        los dolores_n de cabeza_n disminuyeron_v un {pct} con el@1 {n.estudio#1} de {sur}
        {double#1} dirigió_v el@2 {n.estudio#2} desde {abroad}
        el sol_n dañó_v un@1 {n.aparato#1} de el@2 {lab#2}
        los médicos_n de el [ORG Hospital de {given} ] trataron_v el@1 {n.enfermedad#1} con éxito_n
        los médicos_n de el [ORG Hospital Virgen de el Pilar ] operaron_v a {per}
        """,
    "hallado": """
        un@1 {n.ser#1} {a.ser@1}
        un@1 {n.astro#1} {a.astro@1}
        un@1 {n.molecula#1} {a.molecula@1}
        """,
    "hallado_en": """
        un@1 {n.ser#1} {a.ser@1} en {donde_c}
        un@1 {n.fosil#1} {a.fosil@1} en {donde_c}
        un@1 {n.fosil#1} cerca de {town}
        """,
    "revista": """
        Anales de Química
        Ciencia y Mar
        Cuadernos de Física
        Materia
        Biología de Hoy
        """,
    "donde_c": """
        {region}
        el [LOC Atlántico ]
        el [LOC Mediterráneo ]
        los [LOC Andes ]
        el interior_n de {country}
        la [LOC Antártida ]
        {zone}
        la [LOC Sierra de {town} ]
        """,
    "k_ciencia": """
        el@1 {n.ser#1} mide_v {num.2.90} milímetros_n
        el@1 {n.infeccion#1} se transmite_v por el agua_n
        este@1 {n.ser#1} {a.ser@1} vive_v en {donde_c}
        el@1 {n.estudio#1} abre_v una puerta_n a la esperanza_n
        el@1 {lab#1} enviará_v un@2 {n.aparato#2} a [LOC Marte ] en {fyear}
        {quien#1} dirige_v el@2 {project#2}
        el@1 {n.aparato#1} funciona_v con luz_n de el sol_n
        {country} aportará_v {money} a el@1 {project#1}
        el@1 {n.estudio#1} se hará_v en {city} y en {abroad}
        los pilares_n de el@1 {n.aparato#1} son de acero_n
        la temperatura_n de el [LOC Mediterráneo ] sube_v un {pct}
        el@1 {project#1} y el@2 {project#2} comparten_v datos_n
        {sur#1} cree_v que el@2 {n.molecula#2} es {a.molecula@2}
        la paz_n de los bosques_n de {region} ayuda_v a las aves_n
        """,
    "frase_ciencia": """
        no sabemos_v por_e qué_p el@1 {n.ser#1} vive_v en {donde_c}
        el@1 {n.enfermedad#1} se puede curar_v
        es un@1 {n.fosil#1} muy raro@1_a
        sin el@1 {project#1} no habríamos_x visto_v nada
        hace_v falta_n más dinero_n para el@1 {lab#1}
        los datos_n de {sur} son correctos_a
        """,
    "formal_ciencia": """
        el@1 {lab#1} convoca_v {num.5.60} contratos_n predoctorales_a para {region} .
        {tratado#1} defenderá_v su tesis_n el {date.y} en la [ORG Universidad de {town} ] .
        la [ORG Comisión de Ética ] autoriza_v el@1 {n.estudio#1} dirigido@1_v por {tratado} .
        se adjudica_v a {firm} el suministro_n de un@1 {n.aparato#1} por {money} .
        el [ORG Ministerio de {office} ] financiará_v el@1 {project#1} con {money} .
        los resultados_n de el@1 {n.estudio#1} se remitirán_v a el@2 {lab#2} antes de el {date} .
        """,
    "talk_ciencia": """
        ¿ has leído_v lo de el@1 {n.fosil#1} de {town} ?
        {given#1} estudia_v Física_n en la [ORG Universidad de {town} ] .
        ¡ qué_d frío_n hace_v en {town} , {given} !
        ¿ la luz_n de el sol_n llega_v a [LOC Plutón ] ?
        mi {r.familia@1} {given#1} trabaja_v con {per} en el@2 {lab#2} .
        — ¿ qué_p es eso ? — preguntó_v {given} . — un@1 {n.ser#1} .
        dice_v {double} que el@1 {n.enfermedad#1} se cura_v con reposo_n , pero yo no lo veo_v claro_a .
        el médico_n me mandó_v a {city} por los dolores_n de espalda_n .
        anoche se veía_v [LOC Marte ] desde {town} , ¡ qué_d maravilla_n !
        ¿ me explicas_v qué_p hace_v un@1 {n.aparato#1} ?
        """,
    "headline_ciencia": """
        hallado@1_v un@1 {n.fosil#1} {a.fosil@1} en {region}
        el@1 {lab#1} pierde_v un@2 {n.aparato#2}
        luz_n sobre un@1 {n.molecula#1} {a.molecula@1}
        {per} , premio_n a toda una carrera_n
        {sur} descubre_v un@1 {n.astro#1}
        la {probe} llega_v a [LOC Marte ]
        abril , el mes_n más cálido_a en {country}
        nieves_n y viento_n en {zone}
        sol_n en {region} y lluvia_n en {city}
        esperanza_n contra el@1 {n.enfermedad#1}
        el@1 {n.mal#1} llega_v a {town}
        {double} dirigirá_v el@1 {lab#1}
        un@1 {n.estudio#1} de {city} explica_v el@2 {n.enfermedad#2}
        """,
    "social_ciencia": """
        qué_d grande_a {nombre} !
        hoy no se habla_v más que de {nombre}
        flipando_v con las fotos_n de el {scope}
        han encontrado_v un@1 {n.fosil#1} en {region} y nadie habla_v de eso
        alguien más con {n.enfermedad} en {city} ? vaya_i semana_n
        mañana charla_n de {per} en {city} , gratis_r # ciencia_n
        {double} ha publicado_v su primer_a artículo_n !! orgullo_n
        se ve_v [LOC Venus ] desde {town} , miren_v
        """,
}
