"""Names for the demo, each list with a part that training never sees.

A name is its words joined by spaces; "_" joins the words of one name in the lists. Many names are
here twice on purpose: Santiago is a man and a city, Valencia a city, a club and a surname.
People are put together at random from given names and surnames; `FAMOUS` keeps out the pairs that
belong to somebody well known. Companies, parties, newspapers and agencies are invented.
"""

from typing import NamedTuple


class Names(NamedTuple):
    """Names that every split may use, and names for dev and test alone."""

    known: tuple[str, ...]
    held: tuple[str, ...]


def _names(known: str, held: str) -> Names:
    split = [tuple(n.replace("_", " ") for n in text.split()) for text in (known, held)]
    return Names(split[0], split[1])


def _pairs(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(pair.split("/")) for pair in text.split())


MEN = _names(
    """Santiago Santiago Santiago Israel Israel Domingo Domingo Salvador Sebastián Ángel Álvaro
    Andrés Antonio Benito Bruno Camilo César Cristóbal Damián Darío Diego Eduardo Emilio Esteban
    Fabián Félix Fermín Gonzalo Guillermo Héctor Hugo Iker Ignacio Íñigo Jacinto Javier Joaquín
    Jorge Julián Leandro Lucas Marcos Martín Mateo Matías Miguel Nicolás Óscar Pascual Ramiro Raúl
    Rodrigo Rubén Tomás Vicente José_Luis José_Antonio Juan_Ramón Miguel_Ángel""",
    """Aitor Anselmo Borja Cayetano Dámaso Efraín Gaspar Isidro Lisandro Néstor Octavio Saúl Ulises
    Wenceslao Yago Demetrio Evaristo Odón""",
)
WOMEN = _names(
    """Mercedes Mercedes Victoria Victoria Rosario Rosario Dolores Dolores Guadalupe Guadalupe Abril
    Abril Luz Luz Sol Sol Nieves Nieves Pilar Pilar Lourdes Florencia Asunción Concepción África
    Esperanza Esperanza Rocío Paz Paz Consuelo Trinidad Alba Alicia Amparo Ana Ángela Aurora
    Beatriz Begoña Belén Blanca Carmen Catalina Clara Cristina Elena Elisa Emilia Estrella Eugenia
    Gabriela Gloria Inés Irene Julia Laura Leticia Lucía Manuela Margarita María Marina Marta
    Mónica Natalia Olga Paloma Patricia Raquel Sara Silvia Sofía Soledad Teresa Valeria Verónica
    Yolanda María_José María_del_Mar Ana_Belén María_Jesús Rosa_María María_del_Pilar""",
    """Adela Brígida Candela Débora Edurne Graciela Herminia Jimena Leocadia Milagros Noemí
    Ofelia Remedios Úrsula Zoraida Fátima Visitación Celedonia Maite Oihana""",
)
# Given names that are also a place, a company or a common noun, for sentences that turn on it.
DOUBLE_WOMEN = _names(
    """Mercedes Victoria Rosario Dolores Guadalupe Abril Luz Sol Nieves Pilar Lourdes Florencia
    Asunción Concepción África Esperanza Rocío Paz Consuelo Trinidad""",
    "",
).known
DOUBLE_MEN = ("Santiago", "Israel", "Domingo", "Salvador")
SURNAMES = _names(
    """Acosta Aguirre Alarcón Aldana Almagro Aranda Arrieta Arroyo Baeza Barrios Bermejo Bustos
    Calleja Campos Carrasco Castaño Cifuentes Conde Córdoba Córdoba Cortés Crespo Cuesta Díaz
    Domínguez Duarte Echeverría Escudero Espinosa Fuentes Gallardo Garrido Girón Guerrero Heredia
    Hidalgo Ibáñez Infante Iriarte Izquierdo Jurado Lara León León Lozano Luna Machuca Maldonado
    Marín Mayoral Medina Mendoza Merino Molina Montes Moya Muñoz Navarro Nieto Núñez Olmedo Ordóñez
    Ortega Pardo Pastor Peñalver Peralta Pineda Quintana Quiroga Redondo Reyes Ríos Robledo Rojas
    Roldán Rubio Saldaña Salinas Sarmiento Segovia Serrano Soria Soto Toledo Trujillo Urrutia
    Valencia Valencia Valverde Vega Vergara Vidal Villalba Yáñez Zabaleta Zambrano Zamora Zúñiga
    Argüelles Sigüenza de_la_Fuente de_la_Cruz del_Valle de_los_Ríos de_Haro de_la_Vega""",
    """Abellán Bengoechea Cebrián Dávila Elizalde Fajardo Galdeano Huarte Jáuregui Landaluce
    Lizarraga Manrique Noriega Obregón Palomares Quesada Requena Sanjurjo Tejedor Ugarte Valcárcel
    Zorrilla Zubiri Güell Güemes Barandiarán Carballo Fandiño Goicoechea Larrañaga Olaizola Piñeiro""",
)
# Pairs of given name and surname that would name somebody known.
FAMOUS = _pairs(
    """Alba/Redondo Alicia/Vergara Amparo/Muñoz Ana/Obregón Andrés/Ibáñez Andrés/Pardo
    Antonio/Cortés Antonio/Gallardo Antonio/Luna Antonio/Molina Antonio/Muñoz Antonio/Ordóñez
    Antonio/Vega Aurora/Redondo Benito/Zambrano Blanca/Soto Carmen/Conde Carmen/Lozano
    Carmen/Quesada Catalina/de_la_Cruz Cristina/Cifuentes Cristina/Pardo César/Vidal
    Darío/Villalba Diego/Guerrero Diego/Luna Diego/Navarro Domingo/Ortega Domingo/Sarmiento
    Eduardo/Mendoza Elena/Quiroga Emilia/Pardo Emilio/Lara Emilio/Navarro Esperanza/Aguirre
    Esteban/Echeverría Félix/de_la_Fuente Gaspar/Zorrilla Gonzalo/Rojas Guadalupe/Marín
    Iker/Muñoz Irene/Lozano Javier/Conde Javier/Ortega Joaquín/Cortés Jorge/Campos
    Jorge/Sanjurjo José_Antonio/Reyes José_Antonio/Valverde José_Luis/Garrido Julia/Navarro
    Julia/de_la_Fuente Julián/Muñoz Lucas/Vidal Marta/Ortega Marta/Pineda Martín/Cortés
    María/Izquierdo María/León María/Zambrano Miguel/Hidalgo Miguel/Muñoz Miguel/Ríos
    Miguel/Trujillo Mónica/Carrasco Natalia/Lara Nicolás/Dávila Nicolás/Ibáñez Nicolás/Redondo
    Pascual/Duarte Patricia/Conde Patricia/Pardo Paz/Vega Pilar/Rubio Raúl/Alarcón
    Rocío/Carrasco Rocío/Jurado Rocío/Molina Rodrigo/Díaz Rubén/Rojas Salvador/Dávila
    Salvador/Reyes Santiago/Cortés Santiago/Maldonado Santiago/Soto Sofía/Vergara
    Teresa/Zabaleta Vicente/Guerrero Vicente/del_Valle Álvaro/Noriega Álvaro/Obregón
    Ángel/Garrido Ángel/Nieto Ángela/Molina Óscar/Domínguez"""
)
CITIES = _names(
    """Madrid Madrid Madrid Barcelona Barcelona Valencia Valencia Sevilla Sevilla Zaragoza Málaga
    Murcia Bilbao Alicante Córdoba Córdoba Valladolid Vigo Gijón Granada Oviedo Pamplona Almería
    Burgos Santander Santander Castellón Logroño Badajoz Salamanca Huelva Tarragona León León Cádiz
    Jaén Lugo Cáceres Guadalajara Toledo Pontevedra Palencia Ávila Cuenca Zamora Segovia Soria
    Huesca Mérida Trujillo Santiago Santiago Ronda Guadalupe Guadalupe Dolores Getafe Villarreal
    Santiago_de_Compostela San_Sebastián Las_Palmas La_Coruña El_Ejido Ciudad_Real
    Medina_del_Campo Alcalá_de_Henares La_Línea_de_la_Concepción Puebla_de_Sanabria""",
    """Teruel Albacete Cartagena Elche Melilla Ponferrada Sagunto Tudela Úbeda Zafra Éibar
    Jerez_de_la_Frontera Aranjuez Benidorm Calatayud Arganda_del_Rey""",
)
ABROAD = _names(
    """Buenos_Aires Rosario Rosario La_Paz La_Paz La_Paz Bogotá Medellín Lima Quito Santiago Caracas
    Montevideo Asunción Asunción Ciudad_de_México Monterrey San_José San_Salvador Managua La_Habana
    Santo_Domingo Concepción Concepción Trinidad Trinidad Mercedes Victoria Victoria Guadalupe París
    Londres Roma Berlín Lisboa Bruselas Nueva_York Washington Tokio Pekín Ginebra Estocolmo Viena
    La_Haya Lourdes Lourdes Florencia Florencia Milán San_Luis_de_la_Paz""",
    """Tegucigalpa Cochabamba Guayaquil Arequipa Valparaíso Barranquilla Maracaibo Tucumán Oslo
    Varsovia Budapest Dublín Helsinki Oporto""",
)
COUNTRIES = _names(
    """España España Francia Italia Alemania Portugal Argentina Chile Perú México Colombia Bolivia
    Uruguay Paraguay Cuba El_Salvador Costa_Rica Estados_Unidos EE._UU. EE.UU. Brasil Japón China
    India Israel Israel Marruecos Ecuador Países_Bajos Suecia""",
    "Venezuela Honduras Noruega Polonia Irlanda Egipto Vietnam Croacia",
)
REGIONS = _names(
    """Andalucía Aragón Asturias Cataluña Galicia Extremadura La_Rioja La_Rioja Castilla_y_León
    Castilla-La_Mancha Navarra Euskadi Canarias Baleares Cantabria""",
    "Menorca Lanzarote Ibiza Guipúzcoa Fuerteventura",
)
# Wide stretches of land: no elections there, but weather, animals and news.
ZONES = _names(
    "América_Latina África África África América Castilla Sierra_Nevada Europa Asia Oceanía",
    "Centroamérica Escandinavia Siberia",
)
# A town and where it lies, as datelines give it.
PLACES = _names(
    """Rosario/Argentina Córdoba/Argentina Mendoza/Argentina La_Paz/Bolivia Santiago/Chile
    Concepción/Chile Mérida/México Guadalajara/México Monterrey/México
    León/Nicaragua León/México Trinidad/Bolivia Mercedes/Uruguay Trujillo/Perú Lourdes/Francia
    Florencia/Italia Dolores/Alicante San_José/Costa_Rica Getafe/Madrid
    Ronda/Málaga Guadalupe/Cáceres Medina_del_Campo/Valladolid El_Ejido/Almería Lima/Perú
    Santiago/Cuba Victoria/Canadá Cuenca/Ecuador Zaragoza/España""",
    "Guayaquil/Ecuador Arequipa/Perú Cochabamba/Bolivia Barranquilla/Colombia Zafra/Badajoz Tudela/Navarra",
)
# ":f" marks a feminine; the article stands outside the name ("el Sevilla", "la Real Sociedad").
CLUBS = _names(
    """Real_Madrid Real_Madrid Atlético_de_Madrid Atlético Barcelona Barcelona Sevilla Sevilla
    Valencia Valencia Villarreal Betis Real_Betis Athletic Real_Sociedad:f Osasuna Celta Granada
    Málaga Zaragoza Real_Zaragoza Córdoba Espanyol Getafe Mallorca Alavés Levante Rayo_Vallecano
    River_Plate Boca_Juniors América Leganés Burgos Mirandés Cádiz Valladolid Racing_de_Santander
    Deportivo_de_La_Coruña Roma:f Unión_Deportiva_Las_Palmas:f Real_Murcia""",
    "Numancia Eibar Elche Albacete Peñarol Sporting_de_Gijón Tenerife Estudiantes_de_La_Plata",
)
# Firms that take no article in the press.
FIRMS = _names(
    """Iberluz Novarte Telcora Hidronorte Aceros_del_Nervión Cementos_del_Júcar Autopistas_del_Duero
    Seguros_Atalaya Energías_del_Segura Victoria_Textil Marenorte
    Solvento Ferrocarriles_del_Sur Telas_y_Lonas Viñedos_de_La_Mancha Datavera Aerotajo Papelera_Luz
    Pilar_y_Compañía""",
    "Quantia Olivares_del_Guadalete Transbética Electrozar Minas_del_Aceuche Fintea Navalia",
)
# Names of firms made with a surname; "*" is its place.
FIRM_SHAPES = (
    "Grupo *",
    "Bodegas *",
    "Textiles *",
    "Lácteos *",
    "* Hermanos",
    "* y Asociados",
    "Hijos de *",
    "* e Hijos",
    "Construcciones * S. A.",
    "Talleres * S. L.",
)
PARTIES = _names(
    """Partido_Liberal_Ibérico Alianza_Ciudadana:f Unión_Progresista:f Partido_Verde_Andaluz PLI
    Foro_Rural Renovación_Democrática:f Iniciativa_Cantábrica:f Esperanza_Ciudadana:f PVA
    Partido_de_la_Victoria Movimiento_por_León Partido_de_la_Paz""",
    "Frente_Meseteño Concordia_Social:f Partido_Agrario FMS Bloque_Montañés",
)
BODIES = _names(
    """Gobierno Gobierno Gobierno Congreso Congreso Senado Tribunal_Constitucional Generalitat:f
    Parlamento_Europeo Cruz_Roja:f Xunta:f Junta_de_Andalucía:f Defensor_del_Pueblo
    Comisión_Europea:f Diputación_de_Zamora:f Cabildo_de_La_Palma""",
    "Tribunal_de_Cuentas Consejo_de_Estado Renfe:f RTVE:f",
)
WORLD_BODIES = _names(
    "ONU:f UE:f OTAN:f Unesco:f OCDE:f Consejo_de_Seguridad Unión_Europea:f Consejo_de_Europa",
    "OMS:f FAO:f Liga_Árabe:f",
)
MONEY_BODIES = _names(
    """BCE FMI OCDE:f INE Banco_de_España Comisión_Europea:f CNMV:f Cámara_de_Comercio:f
    Banco_Mundial""",
    "Airef:f Eurostat",
)
SCIENCE_BODIES = _names(
    """CSIC NASA:f ESA:f Agencia_Espacial_Europea:f Instituto_de_Salud_Carlos_III
    Instituto_de_Astrofísica_de_Canarias Instituto_Geológico Observatorio_del_Teide AEMET:f
    Instituto_Español_de_Oceanografía Academia_de_Ciencias:f""",
    "CERN Oceanográfico_de_Baleares Instituto_Cajal Observatorio_de_Calar_Alto",
)
MINISTRIES = _names(
    """Hacienda Hacienda Economía Interior Interior Cultura Sanidad Ciencia Defensa Fomento Trabajo
    Justicia Agricultura Educación Medio_Ambiente""",
    "Igualdad Turismo Asuntos_Exteriores Transportes",
)
PAPERS = _names(
    """El_Correo_del_Sur La_Voz_del_Ebro Radio_Meseta El_Heraldo_de_La_Paz Diario_de_Mercedes
    La_Tribuna_de_Soria El_Sol_de_Levante Radio_Esperanza Canal_Victoria La_Luz_de_Huelva""",
    "El_Faro_de_Zafra Onda_Pirenaica El_Eco_Maragato",
)
AGENCIES = _names("Ibernova Boreal Notisur IBN Atlas_Prensa", "Panhispa RCX")
MUSEUMS = _names(
    """Museo_del_Prado Museo_Reina_Sofía Museo_de_Bellas_Artes Teatro_Real Teatro_Español
    Biblioteca_Nacional:f Filmoteca:f Liceo Teatro_Victoria Museo_de_la_Paz Círculo_de_Bellas_Artes
    Casa_de_América:f""",
    "Museo_Thyssen Auditorio_Kursaal Teatro_Arriaga Alhóndiga:f",
)
PRIZES = _names(
    """Premio_Cervantes Premio_Nacional_de_Poesía Premio_Nacional_de_las_Letras Nobel_de_Literatura
    Medalla_de_las_Bellas_Artes:f Premio_Princesa_de_Asturias""",
    "Premio_Ojo_Crítico Premio_Reina_Sofía_de_Poesía",
)
# Given for one work.
BOOK_PRIZES = _names(
    "Premio_Planeta Premio_Nacional_de_Narrativa Goya Concha_de_Oro:f Premio_de_la_Crítica",
    "Premio_Nadal Biznaga_de_Plata:f",
)
CUPS = _names(
    """Liga_de_Campeones:f Copa_del_Rey:f Liga:f Supercopa:f Trofeo_Santiago Torneo_de_la_Victoria
    Copa_Mercedes:f Copa_de_Europa:f""",
    "Copa_Libertadores:f Trofeo_Colombino Recopa:f",
)
NATION_CUPS = _names("Eurocopa:f Mundial Copa_América:f", "Liga_de_Naciones:f")
RACES = _names(
    """Vuelta_a_España:f Giro_de_Italia Maratón_de_Valencia
    Vuelta_a_Castilla:f Carrera_de_San_Silvestre:f""",
    "Volta:f Clásica_de_Ordizia:f Tour",
)
LAWS = _names(
    """Ley_de_Vivienda:f Ley_de_Costas:f Estatuto_de_los_Trabajadores Constitución:f
    Ley_General_de_Sanidad:f Tratado_de_Lisboa Código_Penal Acuerdo_de_París
    Plan_de_Recuperación Plan_Hidrológico Pacto_de_Toledo Ley_de_Universidades:f""",
    "Ley_de_Aguas:f Plan_Algarrobo Carta_Magna:f Tratado_de_Tordesillas",
)
PROJECTS = _names(
    """Proyecto_Alborada Proyecto_Esperanza Proyecto_Genoma Plan_Luz_del_Sur Programa_Horizonte
    Programa_Victoria Programa_Ramón_y_Cajal Atlas_del_Cerebro""",
    "Proyecto_Gaviota Iniciativa_Ícaro:f Programa_Severo_Ochoa",
)
PROBES = _names("Atenea Pilar-2 Sol-III Victoria Esperanza Alborada Luz_1", "Ícaro Gaviota-4")
TELESCOPES = _names("Hubble James_Webb Santiago Gran_Canarias", "Kepler Euclid")

ALL = {name: value for name, value in list(globals().items()) if isinstance(value, Names)}
