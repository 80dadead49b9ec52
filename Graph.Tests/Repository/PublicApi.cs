using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Graphene.Tests.Repository;

/// <summary>The public surface of an assembly as text: a line for each type and member that users can name.</summary>
internal static class PublicApi
{
    private static readonly SymbolDisplayFormat TypeFormat = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted,
        SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces,
        SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeVariance |
            SymbolDisplayGenericsOptions.IncludeTypeConstraints,
        kindOptions: SymbolDisplayKindOptions.IncludeTypeKeyword,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes);

    private static readonly SymbolDisplayFormat MemberFormat = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted,
        SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces,
        SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeTypeConstraints,
        SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeType |
            SymbolDisplayMemberOptions.IncludeModifiers |
            SymbolDisplayMemberOptions.IncludeRef | SymbolDisplayMemberOptions.IncludeConstantValue |
            SymbolDisplayMemberOptions.IncludeContainingType,
        parameterOptions: SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName |
            SymbolDisplayParameterOptions.IncludeDefaultValue | SymbolDisplayParameterOptions.IncludeModifiers,
        propertyStyle: SymbolDisplayPropertyStyle.ShowReadWriteDescriptor,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes |
            SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier | SymbolDisplayMiscellaneousOptions.ExpandNullable);

    /// <summary>The lines, in the order of their text.</summary>
    /// <param name="assembly">The name of an assembly that the tests run with.</param>
    public static string[] Of(string assembly)
    {
        MetadataReference[] references =
        [
            .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
                .Select(p => MetadataReference.CreateFromFile(p)),
        ];
        CSharpCompilation compilation = CSharpCompilation.Create("surface", references: references);
        IAssemblySymbol symbol = compilation.SourceModule.ReferencedAssemblySymbols.Single(a => a.Name == assembly);
        var lines = new List<string>();
        Visit(symbol.GlobalNamespace, lines);
        return [.. lines.Order(StringComparer.Ordinal)];
    }

    private static void Visit(INamespaceOrTypeSymbol container, List<string> lines)
    {
        foreach (ISymbol member in container.GetMembers())
        {
            if (member is INamespaceSymbol space)
            {
                Visit(space, lines);
            }
            else if (IsVisible(member))
            {
                if (member is INamedTypeSymbol type)
                {
                    lines.Add(Describe(type));
                    Visit(type, lines);
                }
                else
                {
                    lines.Add(member.ToDisplayString(MemberFormat));
                }
            }
        }
    }

    // What a property or event is made of is said by it, and a record's machinery by the record.
    private static bool IsVisible(ISymbol member) =>
        member.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal &&
        member is not IMethodSymbol { AssociatedSymbol: not null } && member.CanBeReferencedByName is var isNamed &&
        (isNamed || member is IPropertySymbol { IsIndexer: true } || member is IMethodSymbol
        {
            MethodKind: MethodKind.Constructor or MethodKind.UserDefinedOperator or MethodKind.Conversion,
        });

    private static string Describe(INamedTypeSymbol type)
    {
        string modifiers = type switch
        {
            { IsStatic: true } => "static ",
            { TypeKind: TypeKind.Class, IsAbstract: true } => "abstract ",
            { TypeKind: TypeKind.Class, IsSealed: true } => "sealed ",
            { IsRefLikeType: true } => "ref ",
            _ => "",
        };
        IEnumerable<string> bases = new[] { type.TypeKind == TypeKind.Class ? type.BaseType : null }.Concat(type.Interfaces)
            .OfType<INamedTypeSymbol>()
            .Where(b => b.SpecialType is not (
                SpecialType.System_Object or SpecialType.System_ValueType or SpecialType.System_Enum))
            .Select(b => b.ToDisplayString(MemberFormat)).Order(StringComparer.Ordinal);
        string list = string.Join(", ", bases);
        return modifiers + type.ToDisplayString(TypeFormat) + (list.Length > 0 ? " : " + list : "");
    }
}
