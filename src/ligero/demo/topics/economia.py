"""Economy: templates. See `ligero.demo.grammar` for the marks."""

RULES = {
    "quien_economia": """
        {per#1}
        {sur#1}
        {sur#1}
        {double#1}
        el@1 {r.economia@1} {per#1}
        el@1 {r.economia@1} de {firm} , {per#1} ,
        el@1 {r.economia#1} de {firm}
        {per#1} , de {firm} ,
        el@1 {r.economia@1} {a.gentilicio@1} {per#1}
        """,
    "c_economia": """
        {firm} ganó_v {money} en {year}
        {firm} {v.comprar.pret} un@1 {n.empresa#1} en {town}
        {firm} compró_v el {pct} de {firm} por {money}
        el@1 {n.magnitud#1} de el@2 {n.genero#2} subió_v un {pct}
        las ventas_n de {n.producto.p} en {region} {crecieron} un {pct} en {month}
        {firm} abrió_v un@1 {n.empresa#1} en {city} con {num.12.900} empleados_n
        {firm} cerró_v su@1 {n.empresa#1} de {town}
        {quien#1} vendió_v sus acciones_n de {firm} por {money}
        el [MISC Ibex 35 ] {v.subir.pret} un {pct}
        la Bolsa_n de {abroad} {v.subir.pret} un {pct} hasta los {num.7200.12900} puntos_n
        el@1 {bank#1} elevó_v al_e {pct} su previsión_n para {country}
        las exportaciones_n de {country} a {country} {crecieron} un {pct}
        {firm} y {firm} firmaron_v un acuerdo_n para distribuir_v {n.producto.p}
        {per#1} sustituyó_v a {per} al_e frente_n de {firm}
        el alza_n de el@1 {n.indicador#1} preocupó_v a {firm}
        los trabajadores_n de {firm} en {city} aprobaron_v el convenio_n
        la familia_n {sur} vendió_v sus viñedos_n de {region}
        {firm} trasladó_v su sede_n de {town} a {town}
        {firm} despidió_v a {num.12.300} trabajadores_n de su@1 {n.empresa#1} de {city}
        la luz_n se encareció_v un {pct} en {country}
        {quien#1} invirtió_v {money} en {firm}
        el tipo_n de cambio_n de el euro_n {v.subir.pret} un {pct}
        [ORG Santander ] abrió_v una oficina_n en {town}
        [ORG Mercedes ] presentó_v en {city} un modelo_n eléctrico_a
        {double#1} , {r.economia@1} de {firm} , se reunió_v con {per} en {town}
        """,
    "fisco": """
        [ORG Hacienda ]
        [ORG Economía ]
        [ORG Agricultura ]
        el [ORG Ministerio de Hacienda ]
        """,
    "crecieron": """
        crecieron_v
        cayeron_v
        aumentaron_v
        bajaron_v
        """,
    "k_economia": """
        {firm} emplea_v a {num.40.9000} personas_n en {country}
        {firm} no prevé_v abrir_v más tiendas_n en {town}
        el@1 {n.indicador#1} {a.economia@1} seguirá_v alto@1_a
        la hacienda_n de los {sur} está en venta_n
        {fisco} estudia_v bajar_v el impuesto_n sobre el@1 {n.producto.p#1}
        {firm} cotiza_v a {money.small} por acción_n
        el mercado_n de {country} es el pilar_n de {firm}
        las ventas_n de {n.producto.p} dependen_v de {country}
        la inflación_n de {country} será de el {pct}
        el sol_n y la nieve_n dejan_v a {region} sin camas_n libres_a
        {quien#1} no ve_v luz_n al_e final_n de el túnel_n
        {firm} tiene_v un@1 {n.empresa#1} cerca de {city} y otro@1 en {town}
        la economía_n de {region} crece_v más que la de {region}
        el@1 {bank#1} y {office} discrepan_v sobre la deuda_n
        """,
    "frase_economia": """
        no vamos_v a cerrar_v el@1 {n.empresa#1} de {town}
        el@1 {n.indicador#1} no puede subir_v más
        {firm} es una empresa_n familiar_a
        queremos_v crecer_v en {country}
        la subida_n de los precios_n nos afecta_v a todos
        con {sur} ganábamos_v más dinero_n
        """,
    "formal_economia": """
        el importe_n de la ayuda_n asciende_v a {money.mid} , con cargo_n al_e presupuesto_n de {office} .
        {tratado#1} , en representación_n de {firm} , solicita_v una licencia_n {donde} .
        la [ORG Junta General de {firm} ] se reunirá_v el {date.y} {donde} .
        se notifica_v a {tratado} la liquidación_n número_n {decree} , por {money.small} .
        se concede_v a {tratado} una prórroga_n para el pago_n de {money.small} .
        los contribuyentes_n de {region} presentarán_v la declaración_n antes de el {date} .
        el [ORG Ministerio de Economía ] fija_v en el {pct} el interés_n de la deuda_n .
        {firm} , con domicilio_n en la calle_n [LOC {per} ] de {city} , amplía_v su capital_n en {money} .
        """,
    "talk_economia": """
        ¿ cuánto pagas_v de luz_n en {town} ?
        ¿ has visto_v a cuánto está el aceite_n ? ¡ a {num.6.12} euros !
        {given#1} trabaja_v en {firm} , pero busca_v otra cosa_n .
        ¡ qué_d caros_a están los pisos_n de {city} !
        mi {r.familia@1} {given#1} se ha comprado_v un [MISC Mercedes ] .
        si {firm} cierra_v , {given} tendrá_v que irse_v a {town} .
        el banco_n me pide_v {money.mid} y {given} no me quiere_v avalar_v .
        — ¿ y la hipoteca_n ? — Pues mira_i , {given} , en {month} la terminamos_v .
        a {per} le han subido_v el alquiler_n un {pct} .
        los de {firm} llamaron_v otra vez_n preguntando_v por {double} .
        """,
    "headline_economia": """
        {firm} gana_v {money} hasta {month}
        {firm} cierra_v en {town}
        sube_v la luz_n en {country}
        luz_n verde_a a la compra_n de {firm}
        {sur} deja_v {firm}
        [ORG Mercedes ] cambia_v de logotipo_n
        [ORG Santander ] renueva_v sus cajeros_n en {city}
        {fisco} sube_v el impuesto_n de el@1 {n.producto.p#1}
        {firm} y {firm} negocian_v su fusión_n
        el [MISC Ibex ] pierde_v un {pct}
        paz_n en {firm} : hay_v convenio_n
        {per#1} , nuevo@1_a {r.economia@1} de {firm}
        esperanza_n para los viñedos_n de {region}
        mayo , mes_n clave_a para {firm}
        el@1 {bank#1} avisa_v a {country}
        """,
    "social_economia": """
        lo de {nombre} ya cansa_v
        todo el mundo_n habla_v de {nombre}
        {num.2.9} euros el aceite_n en {city} , estamos_x locos_a o qué
        otra subida_n de la luz_n ... gracias_n {firm} # {firm}
        alguien de {city} con problemas_n en {firm} ?
        a ver_v si {office} espabila_v ya
        {double} me ha devuelto_v los {num.20.90} euros , milagro_n jaja_i
        comprar_v casa_n en {city} es imposible_a
        """,
}
