"""Words for the demo: function words with their part of speech, nouns, adjectives, verbs, roles.

Lists are strings split at spaces: a noun is "word:gender", a role "masculine/feminine".
"""

_FUNCTION = {
    "DET": """el la los las un una unos unas este esta estos estas ese esa esos esas aquel aquella
        su sus mi mis tu tus nuestro nuestra nuestros nuestras cada algún alguna algunos algunas
        ningún ninguna otro otra otros otras varios varias muchos muchas mucho mucha toda todo
        todos todas ambos ambas cuyo cuya""",
    "ADP": """a ante bajo con contra de del al desde durante en entre hacia hasta mediante para por
        según sin sobre tras""",
    "SCONJ": "que si porque aunque mientras cuando como pues",
    "CCONJ": "y e o u ni pero sino",
    "PRON": """se me te le les nos os lo quien quienes nada nadie algo alguien yo tú él ella ellos
        ellas qué quién cuál esto eso aquello mí ti usted ustedes conmigo contigo""",
    "ADV": """no ya hoy ayer mañana muy más menos también tampoco aún todavía ahora antes después
        así bien mal siempre nunca casi solo además aquí allí allá cerca lejos donde dónde cuándo
        cómo cuánto tan apenas pronto tarde luego quizá sí anoche anteayer""",
    "AUX": """ha han he has hemos había habían haya hayan fue fueron es son era eran soy eres somos
        será serán sea sería está están estaba estaban estoy estás ser sido haber estar puede
        pueden podrá podrán debe deben deberá deberán va van""",
    "NUM": "dos tres cuatro cinco seis siete ocho nueve diez once doce quince veinte treinta cien",
    "NOUN": """lunes martes miércoles jueves viernes sábado domingo enero febrero marzo abril mayo
        junio julio agosto septiembre octubre noviembre diciembre euros euro millones año años""",
}
FUNCTION = {word: pos for pos, words in _FUNCTION.items() for word in words.split()}

MONTHS = _FUNCTION["NOUN"].split()[7:19]
DAYS = _FUNCTION["NOUN"].split()[:7]

_NOUNS = {
    "partido": "partido:m encuentro:m duelo:m choque:m derbi:m compromiso:m",
    "fallo": "penalti:m remate:m tiro:m ocasión:f lanzamiento:m pase:m",
    "juego": "gol:m penalti:m remate:m tiro:m pase:m centro:m saque:m parada:f ocasión:f",
    "victoria": "victoria:f derrota:f remontada:f clasificación:f eliminación:f goleada:f",
    "instalacion": "estadio:m pabellón:m gimnasio:m piscina:f pista:f polideportivo:m velódromo:m",
    "equipo": "equipo:m plantilla:f selección:f conjunto:m",
    "indicador": """precio:m salario:m beneficio:m venta:f exportación:f inversión:f crédito:m
        alquiler:m impuesto:m ingreso:m coste:m hipoteca:f ahorro:m deuda:f""",
    "genero": "aceite:m vino:m calzado:m cereal:m tejido:m café:m trigo:m arroz:m gas:m leche:f",
    "homenaje": "exposición:f ciclo:m retrospectiva:f conferencia:f",
    "visita": "exposición:f feria:f retrospectiva:f colección:f",
    "magnitud": """precio:m consumo:m demanda:f coste:m producción:f venta:f importación:f
        exportación:f""",
    "producto": """aceite:m vehículo:m tejido:m cereal:m vino:m medicamento:m
        electrodoméstico:m mueble:m calzado:m juguete:m cítrico:m ordenador:m""",
    "empresa": "fábrica:f oficina:f planta:f tienda:f sucursal:f nave:f refinería:f bodega:f",
    "norma": """ley:f reforma:f decreto:m moción:f enmienda:f proyecto:m propuesta:f acuerdo:m
        reglamento:m ordenanza:f iniciativa:f""",
    "local": "ordenanza:f reglamento:m acuerdo:m plan:m reforma:f",
    "debate": "debate:m pleno:m reunión:f sesión:f comisión:f votación:f cumbre:f audiencia:f",
    "servicio": """hospital:m escuela:f aula:f carretera:f biblioteca:f guardería:f puente:m
        residencia:f centro:m línea:f mercado:m parque:m""",
    "ser": """especie:f bacteria:f rana:f pez:m insecto:m alga:f mariposa:f cangrejo:m lagarto:m
        hongo:m ave:f coral:m murciélago:m araña:f esponja:f""",
    "astro": "estrella:f galaxia:f planeta:m cometa:m nebulosa:f asteroide:m supernova:f luna:f",
    "molecula": "molécula:f proteína:f gen:m virus:m célula:f enzima:f mutación:f anticuerpo:m",
    "fosil": "fósil:m yacimiento:m esqueleto:m meteorito:m mineral:m cueva:f cráter:m",
    "enfermedad": "infección:f alergia:f gripe:f migraña:f anemia:f bronquitis:f hepatitis:f",
    "infeccion": "infección:f gripe:f hepatitis:f malaria:f tuberculosis:f fiebre:f",
    "estudio": "estudio:m análisis:m experimento:m ensayo:m informe:m tesis:f trabajo:m",
    "aparato": "telescopio:m satélite:m microscopio:m sensor:m sonda:f robot:m antena:f radar:m",
    "mal": "contaminación:f sequía:f plaga:f gripe:f malaria:f",
    "obra": "novela:f película:f obra:f ópera:f disco:m poemario:m documental:m comedia:f",
    "libro": "novela:f poemario:m ensayo:m cuento:m biografía:f antología:f",
    "escena": "película:f obra:f ópera:f documental:m comedia:f zarzuela:f tragedia:f drama:m",
    "monumento": """retablo:m castillo:m iglesia:f puente:m palacio:m ermita:f muralla:f acueducto:m
        convento:m torre:f""",
    "muestra": "exposición:f feria:f concierto:m festival:m recital:m ciclo:m retrospectiva:f",
    "pieza": "cuadro:m escultura:f manuscrito:m retrato:m grabado:m fotografía:f carta:f dibujo:m",
    "gente": "vecino:m trabajador:m estudiante:m comerciante:m agricultor:m conductor:m docente:m",
    "titulo": """jardín:m sombra:f niebla:f mar:m memoria:f río:m silencio:m casa:f lluvia:f
        invierno:m luz:f camino:m espejo:m isla:f ventana:f verano:m ceniza:f reloj:m noche:f
        esperanza:f sol:m paz:f agua:f corazón:m""",
    "sitio": "barrio:m zona:f área:f polígono:m parque:m",
}
NOUNS = {
    pool: tuple((w.split(":")[0], w.split(":")[1]) for w in words.split())
    for pool, words in _NOUNS.items()
}

_ADJECTIVES = {
    "calidad": """excelente difícil polémico sorprendente inesperado decisivo discreto brillante
        extraordinario irregular intenso""",
    "grado": "difícil intenso discreto irregular polémico duro igualado extraño bonito raro",
    "norma": "importante necesario polémico valiente ambiguo injusto urgente histórico",
    "economia": """anual trimestral industrial agrícola comercial bancario exterior público
        privado medio mensual energético""",
    "politica": """parlamentario municipal autonómico europeo constitucional ciudadano electoral
        nacional fiscal laboral social""",
    "ser": "desconocido gigante diminuto raro resistente venenoso nocturno transparente azul",
    "astro": "lejano brillante diminuto gigante desconocido frío antiguo",
    "molecula": "desconocido clave resistente humano sintético artificial",
    "fosil": "antiguo gigante desconocido raro intacto enorme",
    "obra": "breve inédito sorprendente premiado íntimo divertido polémico extraño audaz",
    "pieza": "antiguo inédito barroco medieval anónimo valioso olvidado",
    "muestra": "anual internacional gratuito popular benéfico",
    "equipo": "juvenil femenino local veterano",
    "animo": """satisfecho preocupado optimista cauto orgulloso sorprendido contento convencido
        tranquilo decepcionado ilusionado cansado""",
    "lugar": "industrial residencial antiguo comercial tecnológico nuevo",
    "gentilicio": """español francés alemán italiano andaluz gallego catalán vasco mexicano
        argentino chileno colombiano peruano japonés portugués inglés canario aragonés""",
}
ADJECTIVES = {pool: tuple(words.split()) for pool, words in _ADJECTIVES.items()}

_ROLES = {
    "deporte": """delantero/delantera portero/portera capitán/capitana defensa/defensa
        centrocampista/centrocampista jugador/jugadora lateral/lateral extremo/extremo
        futbolista/futbolista""",
    "atleta": "corredor/corredora deportista/deportista campeón/campeona competidor/competidora",
    "local": "alcalde/alcaldesa concejal/concejala",
    "cartera": "ministro/ministra consejero/consejera",
    "partido": """portavoz/portavoz diputado/diputada candidato/candidata senador/senadora
        presidente/presidenta secretario/secretaria eurodiputado/eurodiputada""",
    "economia": """presidente/presidenta consejero/consejera director/directora economista/economista
        empresario/empresaria analista/analista gerente/gerente portavoz/portavoz
        sindicalista/sindicalista accionista/accionista""",
    "politica": """ministro/ministra diputado/diputada senador/senadora alcalde/alcaldesa
        portavoz/portavoz concejal/concejala presidente/presidenta secretario/secretaria
        candidato/candidata eurodiputado/eurodiputada consejero/consejera juez/jueza
        fiscal/fiscal embajador/embajadora""",
    "ciencia": """investigador/investigadora biólogo/bióloga físico/física astrónomo/astrónoma
        químico/química médico/médica geólogo/geóloga profesor/profesora catedrático/catedrática
        matemático/matemática ingeniero/ingeniera oncólogo/oncóloga""",
    "cultura": """escritor/escritora director/directora actor/actriz pintor/pintora poeta/poeta
        novelista/novelista escultor/escultora compositor/compositora bailarín/bailarina
        guitarrista/guitarrista cineasta/cineasta dramaturgo/dramaturga cantante/cantante
        comisario/comisaria editor/editora""",
    "familia": "hermano/hermana primo/prima vecino/vecina amigo/amiga cuñado/cuñada tío/tía",
}
ROLES = {
    pool: tuple((w.split("/")[0], w.split("/")[1]) for w in words.split())
    for pool, words in _ROLES.items()
}

_VERBS = {
    "decir": """anunciar afirmar asegurar explicar señalar declarar subrayar advertir confirmar
        indicar recordar precisar decir manifestar sostener reconocer""",
    "aprobar": "aprobar presentar defender rechazar debatir proponer negociar estudiar retirar",
    "criticar": "criticar rechazar cuestionar lamentar apoyar defender respaldar denunciar",
    "visitar": "visitar recorrer inaugurar abrir cerrar",
    "subir": "aumentar crecer subir bajar caer avanzar",
    "comprar": "comprar vender adquirir ampliar reformar",
    "hallar": "descubrir identificar estudiar describir analizar fotografiar observar localizar",
    "escribir": "publicar presentar escribir editar terminar",
    "estrenar": "estrenar presentar dirigir producir",
    "exponer": "exponer exhibir restaurar adquirir recuperar prestar mostrar",
    "celebrar": "celebrar organizar aplazar suspender preparar",
}
VERBS = {pool: tuple(words.split()) for pool, words in _VERBS.items()}
